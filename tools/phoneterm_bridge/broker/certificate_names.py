"""The names that the broker's certificate carries, and whether a terminal would find its own among them.

Does not judge dates or the CA: `phoneterm doctor` does. Python's TLS reads the certificate, in a handshake with itself.
"""

import ipaddress
import ssl

from phoneterm_bridge.broker.handshake import shake_hands
from phoneterm_bridge.broker.tls import make_server_context
from phoneterm_bridge.settings.broker import BrokerSettings


def read_names(broker: BrokerSettings) -> list[str] | None:
    """Return the names and addresses in the broker's certificate; None when it is not here, or has expired.

    SetupProblem when the settings name files that are no certificate and its key.
    """
    if broker.certificate_path is None or broker.key_path is None:
        return None
    server = make_server_context(broker.certificate_path, broker.key_path)
    client = ssl.create_default_context(cafile=str(broker.certificate_path))
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        found = shake_hands(client, server)
    except ssl.SSLError:
        return None
    names = [value for kind, value in found.get("subjectAltName", ()) if kind in ("DNS", "IP Address")]
    return names or [value for part in found.get("subject", ()) for key, value in part if key == "commonName"]


def is_carried(host: str, names: list[str]) -> bool:
    """Return whether a certificate with these names is one of this host; `*.example` stands for one more word."""
    wanted = _normalize(host)
    return any(_normalize(name) in (wanted, _widen(wanted)) for name in names)


def _normalize(name: str) -> str:
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name.lower().rstrip(".")


def _widen(host: str) -> str:
    first, dot, rest = host.partition(".")
    return f"*.{rest}" if first and dot and not first.isdecimal() else host
