"""Makes a certificate authority and a server certificate with openssl, for tests of TLS.

Does not keep them: each authority lives in the folder it is given. Certificates are valid from now for one day.
"""

import shutil
import subprocess

_CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
_CA_EXTENSIONS = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign"]


class Authority:
    """A CA; `der_path` is what a terminal pins."""

    def __init__(self, folder):
        self._folder = folder
        folder.mkdir()
        self._run("req", "-x509", *_CURVE, "-keyout", "ca.key", "-out", "ca.pem", "-days", "1", "-subj", "/CN=lab CA",
                  *_CA_EXTENSIONS)  # fmt: skip
        self._run("x509", "-in", "ca.pem", "-outform", "DER", "-out", "ca.der")
        self.der_path = str(folder / "ca.der")

    def make_server_files(self, name):
        """Return mosquitto's certfile and keyfile for a server of this name."""
        (self._folder / "names").write_text(f"subjectAltName=DNS:{name}\n")
        self._run("req", *_CURVE, "-keyout", "server.key", "-out", "server.csr", "-subj", f"/CN={name}")
        self._run("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                  "-days", "1", "-extfile", "names", "-out", "server.pem")  # fmt: skip
        return {
            "certfile": (self._folder / "server.pem").read_bytes(),
            "keyfile": (self._folder / "server.key").read_bytes(),
        }

    def _run(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self._folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def is_possible():
    """Say whether this machine has openssl."""
    return shutil.which("openssl") is not None
