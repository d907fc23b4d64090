"""Makes a certificate authority and certificates of servers and clients with openssl, for tests of TLS.

Does not keep them: each authority lives in the given folder. Certificates are valid from now for one day, unless a
test sets another time.
"""

import shutil
import subprocess

_CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
_CA_EXTENSIONS = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign"]

_CA_CONFIG = """\
[ca]
default_ca = lab
[lab]
database = index
serial = serial
new_certs_dir = .
policy = lab_policy
default_md = sha256
[lab_policy]
commonName = supplied
"""


class Authority:
    """A CA; a terminal pins `der_path`, a bridge uses `pem_path`."""

    def __init__(self, folder):
        self._folder = folder
        folder.mkdir()
        self._run("req", "-x509", *_CURVE, "-keyout", "ca.key", "-out", "ca.pem", "-days", "1", "-subj", "/CN=lab CA",
                  *_CA_EXTENSIONS)  # fmt: skip
        self._run("x509", "-in", "ca.pem", "-outform", "DER", "-out", "ca.der")
        self.der_path = str(folder / "ca.der")
        self.pem_path = folder / "ca.pem"

    def make_server_files(self, name, dates=None):
        """Return mosquitto's certfile and keyfile for a server of this name; `dates`: first and last, YYYYMMDD."""
        (self._folder / "names").write_text(f"subjectAltName=DNS:{name}\n")
        self._run("req", *_CURVE, "-keyout", "server.key", "-out", "server.csr", "-subj", f"/CN={name}")
        if dates:
            self._sign_for(*dates)
        else:
            self._run("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                      "-days", "1", "-extfile", "names", "-out", "server.pem")  # fmt: skip
        return {
            "certfile": (self._folder / "server.pem").read_bytes(),
            "keyfile": (self._folder / "server.key").read_bytes(),
        }

    def make_client_files(self, name):
        """Return the paths of a client's certificate and key in PEM form; the same in DER form end with .der."""
        self._run("req", *_CURVE, "-keyout", f"{name}-key.pem", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        self._run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                  "-days", "1", "-out", f"{name}.pem")  # fmt: skip
        self._run("x509", "-in", f"{name}.pem", "-outform", "DER", "-out", f"{name}.der")
        self._run("pkey", "-in", f"{name}-key.pem", "-outform", "DER", "-out", f"{name}-key.der")
        return self._folder / f"{name}.pem", self._folder / f"{name}-key.pem"

    def _sign_for(self, first, last):
        """Sign server.csr for another time than now, which only openssl's `ca` can do."""
        (self._folder / "ca.conf").write_text(_CA_CONFIG)
        (self._folder / "index").write_text("")
        (self._folder / "serial").write_text("01")
        self._run("ca", "-batch", "-notext", "-config", "ca.conf", "-in", "server.csr", "-cert", "ca.pem",
                  "-keyfile", "ca.key", "-extfile", "names", "-startdate", f"{first}000000Z",
                  "-enddate", f"{last}000000Z", "-out", "server.pem")  # fmt: skip

    def _run(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self._folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def is_possible():
    """Say whether this machine has openssl."""
    return shutil.which("openssl") is not None
