"""Makes a certificate authority and a broker's certificate with openssl, for measurements under TLS.

Does not keep them: they are in the given folder, and are valid for a day.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-batch")


class CertificatesMissing(Exception):
    """No certificates can be made here; the sentence says why and what to do."""


@dataclass(frozen=True)
class Certificates:
    """What a mosquitto and a terminal need: the certificate and key (PEM), and the path of the CA to pin (DER)."""

    files: dict[str, bytes]
    ca_path: Path


def make_certificates(folder: Path, name: str) -> Certificates:
    """Make a CA, and a certificate of it for a broker of this name."""
    if shutil.which("openssl") is None:
        raise CertificatesMissing("openssl is not on this machine: run 'phoneterm parts install' as root.")
    _run(folder, "req", "-x509", *_CURVE, "-keyout", "ca.key", "-out", "ca.pem", "-days", "1", "-subj", "/CN=lab CA")
    _run(folder, "x509", "-in", "ca.pem", "-outform", "DER", "-out", "ca.der")
    _run(folder, "req", *_CURVE, "-keyout", "broker.key", "-out", "broker.csr", "-subj", f"/CN={name}")
    (folder / "names").write_text(f"subjectAltName=DNS:{name}\n")
    _run(folder, "x509", "-req", "-in", "broker.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
         "-days", "1", "-extfile", "names", "-out", "broker.pem")  # fmt: skip
    files = {"certfile": (folder / "broker.pem").read_bytes(), "keyfile": (folder / "broker.key").read_bytes()}
    return Certificates(files, folder / "ca.der")


def _run(folder: Path, *arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise CertificatesMissing(f"openssl {arguments[0]} failed: {last}")
