"""Makes a certificate authority and a broker's certificate, for measurements under TLS, as `phoneterm tls init` does.

Does not keep them: they are in the given folder.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

from phoneterm_bridge.broker.site_tls import BROKER, BROKER_KEY, CA, SiteTls

_DAYS = 1


@dataclass(frozen=True)
class Certificates:
    """What a mosquitto and a terminal need: the certificate and key (PEM), and the path of the CA to pin (DER)."""

    files: dict[str, bytes]
    ca_path: Path


def make_certificates(folder: Path, name: str) -> Certificates:
    """Make a CA, and a certificate of it for a broker of this name."""
    site = SiteTls(folder)
    site.make("the lab", [name], _DAYS)
    ca_path = folder / "ca.der"
    ca_path.write_bytes(ssl.PEM_cert_to_DER_cert(site.path(CA).read_text(encoding="ascii")))
    files = {"certfile": site.path(BROKER).read_bytes(), "keyfile": site.path(BROKER_KEY).read_bytes()}
    return Certificates(files, ca_path)
