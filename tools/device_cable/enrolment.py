"""A terminal's settings, and whether the store allows it: everything that can be refused before the cable is used.

Does not write the store or the board. The settings come from the store of this machine's bridge, or from the file that
the bridge's machine wrote for the terminal. The firmware's own reader judges them, so a board never gets settings that
it would refuse.
"""

import ssl
from dataclasses import dataclass, field
from typing import NamedTuple

import sqlalchemy as sa
from phoneterm.core import messages
from phoneterm.device import settings as firmware_settings
from phoneterm_bridge.administration.handout import default_tid, read_ca
from phoneterm_bridge.broker.address import Address, is_for_boards
from phoneterm_bridge.broker.terminal_document import TerminalDocument
from phoneterm_bridge.broker.terminal_settings import device_settings
from phoneterm_bridge.settings.bridge import BrokerSettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import names, reading, sightings
from phoneterm_bridge.store.enrolling import Prepared, prepare_terminal

from device_cable.client_certificate import ClientCertificate
from device_cable.nvs import CA_PATH, CERTIFICATE_PATH, KEY_PATH
from device_cable.wifi_access import WifiAccess

_SETTINGS = "See broker.certificate_path, broker.ca_path and broker.allow_plain in the bridge's settings."


@dataclass(frozen=True)
class Provision:
    """A terminal that is ready to be written: all its settings, and the files they name (DER).

    contents: path on the board -> content: the CA that the terminal pins, its own certificate and its key.
    prepared: its new secrets, for the store of this machine; None for one that comes from a file.
    """

    tid: str
    texts: dict[str, str] = field(repr=False)
    contents: dict[str, bytes] = field(repr=False)
    prepared: Prepared | None = field(default=None, repr=False)


class Choice(NamedTuple):
    """Which terminal an extension's board becomes, and whether it is enrolled already.

    seen_ms: when the bridge last heard of it, None if never: then no board is it yet.
    """

    tid: str
    is_enrolled: bool
    seen_ms: int | None = None


def choose_terminal(
    engine: sa.Engine, extension: str, tid: str | None, is_again: bool = False, is_another: bool = False
) -> Choice:
    """Return the terminal for a board of the extension: the one that is enrolled there, else a new one.

    tid: its id, if it must be this one. is_again: it must be enrolled. is_another: it must be a new one, beside others.
    """
    problem = (names.problem_of_tid(tid) if tid else None) or names.problem_of_extension(extension)
    if problem:
        raise SetupProblem(f"{problem}.")
    if not any(extension in numbers for _, _, numbers in reading.read_users(engine)):
        raise SetupProblem(
            f"There is no extension {extension!r}: `phoneterm user add NAME --extension {extension}` adds it, "
            "on the machine of the bridge."
        )
    records = reading.read_snapshot(engine).terminals
    there = sorted(record.tid for record in records.values() if record.extension == extension and not record.is_revoked)
    if is_another and not tid:
        return Choice(_find_free_tid(default_tid(extension), set(records)), False)
    if len(there) > 1 and not tid:
        raise SetupProblem(
            f"Extension {extension} has the terminals {', '.join(there)}: say with --tid which one the board becomes, "
            "or enrol one more with ANOTHER=1 (--another)."
        )
    wanted = tid or (there[0] if there else default_tid(extension))
    record = records.get(wanted)
    if record is None:
        if is_again:
            raise SetupProblem(f"There is no terminal {wanted!r} yet: leave AGAIN=1 (--again) out.")
        if there and not is_another:
            raise SetupProblem(
                f"Extension {extension} has the terminal {', '.join(there)} already: leave --tid out, and the board "
                f"becomes that one; ANOTHER=1 (--another) enrols {wanted} beside it."
            )
        return Choice(wanted, False)
    if record.is_revoked:
        raise SetupProblem(f"The terminal {wanted!r} was revoked for good: name another id with --tid.")
    if record.extension != extension:
        raise SetupProblem(
            f"The terminal {wanted!r} belongs to extension {record.extension}: name another id with --tid."
        )
    if is_another:
        raise SetupProblem(f"The terminal {wanted!r} is enrolled already: ANOTHER=1 (--another) needs a new id.")
    with engine.connect() as connection:
        seen = sightings.read_all(connection).get(wanted)
    return Choice(wanted, True, seen.seen_ms if seen else None)


def prepare(
    tid: str, broker: BrokerSettings, address: Address, wifi: WifiAccess, client: ClientCertificate | None = None
) -> Provision:
    """Make a terminal's secrets and settings; SetupProblem when the terminal could not use them."""
    prepared = prepare_terminal(tid)
    texts = device_settings(prepared.enrolment, broker, address)
    made = _complete(texts, read_ca(broker) if "tls_ca_path" in texts else None, wifi, client, _SETTINGS, prepared)
    if client is not None and broker.client_ca_path is not None:
        client.check_authority(broker.client_ca_path)
    return made


def prepare_from_file(
    document: TerminalDocument, wifi: WifiAccess, client: ClientCertificate | None = None
) -> Provision:
    """Return the settings of a terminal that the bridge's machine has enrolled; SetupProblem as in `prepare`."""
    tid = document.texts["tid"]
    anew = f"have the file made anew on the bridge's machine (`phoneterm terminal rotate {tid} --output FOLDER"
    host = document.texts.get("mqtt_host", "")
    if host and not is_for_boards(host):
        raise SetupProblem(f"For a board, {host[:80]} is no broker's address: {anew} --mqtt-host`).")
    if unknown := sorted(document.texts.keys() - set(firmware_settings.KEYS)):
        raise SetupProblem(f"No terminal has the setting {unknown[0][:40]!r}: {anew}`).")
    return _complete(document.texts, document.ca, wifi, client, f"That is so in the file: {anew}`).")


def _complete(
    texts: dict[str, str], ca: bytes | None, wifi: WifiAccess, client: ClientCertificate | None, remedy: str,
    prepared: Prepared | None = None,
) -> Provision:  # fmt: skip
    """Add what the board gets beside its settings, and have the firmware judge the whole; `remedy` if it refuses."""
    texts = texts | wifi.settings()
    contents = {}
    if "tls_ca_path" in texts:
        if ca is None:
            raise SetupProblem(f"The CA that the terminal pins is missing. {remedy}")
        _check_ca(ca, remedy)
        texts["tls_ca_path"] = CA_PATH
        contents[CA_PATH] = ca
    if client is not None:
        _refuse_needless(texts.get("tls", ""))
        texts |= {"tls_cert_path": CERTIFICATE_PATH, "tls_key_path": KEY_PATH}
        contents |= {CERTIFICATE_PATH: client.certificate, KEY_PATH: client.key}
    elif "tls_cert_path" in texts:
        raise SetupProblem(
            "The broker lets nobody in without a certificate (broker.client_ca_path): name the terminal's with CERT= "
            "(--certificate) and its key with KEY= (--key)."
        )
    judged = firmware_settings.read(_Storage(texts), messages.is_tid)
    if isinstance(judged, firmware_settings.Problem):
        raise SetupProblem(f"The terminal would refuse this: {judged.sentence} {remedy}")
    return Provision(texts["tid"], texts, contents, prepared)


def _check_ca(ca: bytes, remedy: str) -> None:
    """Refuse what no terminal could pin."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=ca)
    except (ssl.SSLError, ValueError):
        raise SetupProblem(f"The CA that the terminal pins is no certificate. {remedy}") from None


def _find_free_tid(first: str, taken: set[str]) -> str:
    """Return an id that nobody has or had: phone-101, phone-101-2, ..."""
    count = 1
    tid = first
    while tid in taken:
        count += 1
        tid = f"{first}-{count}"
    return tid


def _refuse_needless(tls: str) -> None:
    """Refuse a certificate that the terminal would not show."""
    if tls != "ca":
        raise SetupProblem(
            f"The terminal would show no certificate, because the bridge's settings make it connect with tls = {tls}: "
            "leave CERT= and KEY= (--certificate, --key) out."
        )


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
