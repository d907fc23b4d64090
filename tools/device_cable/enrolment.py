"""A new terminal's settings, and whether the store allows it: everything that can be refused before the cable is used.

Does not write the store or the board. The firmware's own reader judges the settings, so a board never gets settings
that it would refuse.
"""

import ipaddress
import re
from dataclasses import dataclass, field

import sqlalchemy as sa
from phoneterm.core import messages
from phoneterm.device import settings as firmware_settings
from phoneterm_bridge.cli.broker import read_ca
from phoneterm_bridge.cli.terminal import device_settings
from phoneterm_bridge.settings.bridge import BrokerSettings
from phoneterm_bridge.settings.loopback import is_loopback
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import names, reading
from phoneterm_bridge.store.enrolling import Prepared, prepare_terminal

from device_cable.client_certificate import ClientCertificate
from device_cable.nvs import CA_PATH, CERTIFICATE_PATH, KEY_PATH
from device_cable.wifi_access import WifiAccess

_EVERYWHERE = ("0.0.0.0", "::")
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?")
_NUMBER = re.compile(r"[0-9.]*")


@dataclass(frozen=True)
class Provision:
    """A terminal that is ready to be written: its new secrets, all its settings, and the files they name (DER).

    contents: path on the board -> content: the CA that the terminal pins, its own certificate and its key.
    """

    tid: str
    prepared: Prepared = field(repr=False)
    texts: dict[str, str] = field(repr=False)
    contents: dict[str, bytes] = field(repr=False)


def check_terminal(engine: sa.Engine, tid: str, extension: str, is_again: bool) -> None:
    """Refuse what the store would refuse; `is_again`: the terminal exists and gets new secrets."""
    problem = names.problem_of_tid(tid) or names.problem_of_extension(extension)
    if problem:
        raise SetupProblem(f"{problem}.")
    if not any(extension in numbers for _, _, numbers in reading.read_users(engine)):
        raise SetupProblem(
            f"There is no extension {extension!r}: `phoneterm user add NAME --extension {extension}` adds it."
        )
    record = reading.read_snapshot(engine).terminals.get(tid)
    if record is None:
        if is_again:
            raise SetupProblem(f"There is no terminal {tid!r} yet: leave AGAIN=1 (--again) out.")
        return
    if record.is_revoked:
        raise SetupProblem(f"The terminal {tid!r} was revoked for good: name another id with --tid.")
    if record.extension != extension:
        raise SetupProblem(f"The terminal {tid!r} belongs to extension {record.extension}: name another id with --tid.")
    if not is_again:
        raise SetupProblem(
            f"The terminal {tid!r} is enrolled already: AGAIN=1 (--again) gives it new secrets, and its old ones stop "
            "working."
        )


def prepare(
    tid: str, broker: BrokerSettings, mqtt_host: str | None, wifi: WifiAccess, client: ClientCertificate | None = None
) -> Provision:
    """Make a terminal's secrets and settings; SetupProblem when the terminal could not use them."""
    _check_host(mqtt_host, broker.host)
    prepared = prepare_terminal(tid)
    texts = device_settings(prepared.enrolment, broker, mqtt_host) | wifi.settings()
    contents = {}
    if "tls_ca_path" in texts:
        texts["tls_ca_path"] = CA_PATH
        contents[CA_PATH] = read_ca(broker)
    if client is not None:
        _check_client(texts["tls"], broker, client)
        texts |= {"tls_cert_path": CERTIFICATE_PATH, "tls_key_path": KEY_PATH}
        contents |= {CERTIFICATE_PATH: client.certificate, KEY_PATH: client.key}
    elif "tls_cert_path" in texts:
        raise SetupProblem(
            "The broker lets nobody in without a certificate (broker.client_ca_path): name the terminal's with CERT= "
            "(--certificate) and its key with KEY= (--key)."
        )
    judged = firmware_settings.read(_Storage(texts), messages.is_tid)
    if isinstance(judged, firmware_settings.Problem):
        raise SetupProblem(
            f"The terminal would refuse this: {judged.sentence} See broker.certificate_path, broker.ca_path and "
            "broker.allow_plain in the bridge's settings."
        )
    return Provision(tid, prepared, texts, contents)


def _check_host(mqtt_host: str | None, listens_at: str) -> None:
    """Refuse an address at which a board cannot reach the broker; without HOST= it is where the broker listens."""
    host = mqtt_host or listens_at
    if is_loopback(host):
        raise SetupProblem(
            f"For a board, {host} is the board itself: name this machine's address on the network with HOST= "
            "(--mqtt-host), and let the broker listen there (broker.host)."
        )
    if not mqtt_host and host in _EVERYWHERE:
        raise SetupProblem(
            f"The broker listens at every address of its machine ({host}): name the one that the board is to use with "
            "HOST= (--mqtt-host)."
        )
    if not _is_address(host) and (not _NAME.fullmatch(host) or _NUMBER.fullmatch(host)):
        raise SetupProblem(
            f"The broker's address is a host's name or IP address alone, not {host[:80]!r}: HOST= (--mqtt-host) has no "
            "port or protocol; the port comes from the bridge's settings."
        )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _check_client(tls: str, broker: BrokerSettings, client: ClientCertificate) -> None:
    """Refuse a certificate that the terminal would not show, or that the broker would not accept."""
    if tls != "ca":
        raise SetupProblem(
            f"The terminal would show no certificate, because the bridge's settings make it connect with tls = {tls}: "
            "leave CERT= and KEY= (--certificate, --key) out."
        )
    if broker.client_ca_path is not None:
        client.check_authority(broker.client_ca_path)


class _Storage:
    """An NVS namespace in memory, with the methods that the firmware's reader uses."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts

    def get_blob(self, key: str, buffer: bytearray) -> int:
        if key not in self._texts:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        value = self._texts[key].encode()
        if len(value) > len(buffer):
            raise OSError(-4364, "ESP_ERR_NVS_INVALID_LENGTH")
        buffer[: len(value)] = value
        return len(value)
