"""The files that make a mosquitto the broker of this bridge: configuration, passwords, keys and access rules, as text.

Does not write them or start mosquitto. The same settings and the same terminals give the same text. Made for mosquitto
2.0 and 2.1: what 2.1 calls deprecated (per_listener_settings, message_size_limit) is not used.
"""

import hashlib
from pathlib import Path, PurePath

from phoneterm.core import messages

from phoneterm_bridge.broker.client_packet import most_bytes
from phoneterm_bridge.broker.tls_psk import derive_psk
from phoneterm_bridge.settings.broker import BrokerSettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import passwords
from phoneterm_bridge.store.records import TerminalRecord

FIRST_LINE = "# Written by `phoneterm broker config`, which writes it anew: keep changes of your own elsewhere."
CONFIG_NAME, PASSWORDS_NAME, ACCESS_NAME = "mosquitto.conf", "phoneterm.passwords", "phoneterm.access"
KEYS_NAME = "phoneterm.keys"
_LOOPBACK = "127.0.0.1"
_HEADER_BYTES = 5
LEAST_PASSWORD_CHARS = 16
_LEAST_TLS = "tls_version tlsv1.2"
# A client id means nothing: nobody can disconnect another client by using its id.
_BY_USER_NAME = "use_username_as_clientid true"
_SAID_BY_TERMINALS = (
    messages.HELLO, messages.STATE, messages.COMMAND, messages.ACK, messages.TELEMETRY, messages.REFUSAL,
)  # fmt: skip
# Of a message with QoS 2 the broker would keep as many as a client begins and never finishes.
_MOST_QOS = "max_qos 1"
_NAME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")


def make_files(
    broker: BrokerSettings, terminals: dict[str, TerminalRecord], listen: str, folder: Path, seen_as: PurePath
) -> dict[str, str]:
    """Return name -> text; `listen`: mosquitto's address, `seen_as`: the path of `folder` as mosquitto sees it."""
    if broker.embedded:
        raise SetupProblem("The settings say broker.embedded = true: a mosquitto is only used when it is false.")
    login = _bridge_login(broker, terminals)
    keys = {KEYS_NAME: _join(_shared_keys(terminals))} if broker.psk_port else {}
    return keys | {
        CONFIG_NAME: _join(_config_lines(broker, listen, folder, seen_as)),
        PASSWORDS_NAME: _join([login, *_terminal_logins(terminals)]),
        ACCESS_NAME: _join(_access_lines(broker)),
    }


def without_login(terminals: dict[str, TerminalRecord]) -> list[str]:
    """Return the terminals that cannot log in at mosquitto, because an older version enrolled them."""
    return sorted(tid for tid, record in terminals.items() if not record.is_revoked and not record.mosquitto_hash)


def _config_lines(broker: BrokerSettings, listen: str, folder: Path, seen_as: PurePath) -> list[str]:
    # Terminals with TLS-PSK have their own listener; this one is then for the bridge, on mosquitto's machine.
    is_for_bridge = broker.psk_port and not broker.certificate_path and not broker.allow_plain
    return [
        FIRST_LINE,
        f"listener {broker.port} {_LOOPBACK if is_for_bridge else listen}",
        *_certificate_lines(broker, folder, seen_as),
        _BY_USER_NAME,
        _MOST_QOS,
        *(_psk_lines(broker.psk_port, listen, seen_as) if broker.psk_port else ()),
        "allow_anonymous false",
        f"password_file {seen_as / PASSWORDS_NAME}",
        f"acl_file {seen_as / ACCESS_NAME}",
        "# Without this every acknowledgement waits for 40 ms.",
        "set_tcp_nodelay true",
        "# Nothing outlives a restart, and nothing is kept for long: a command is carried out now or not at all.",
        "persistence false",
        "queue_qos0_messages false",
        "# Many phones may speak at once; with the usual 20 the bridge would get a few of them at a time.",
        "max_inflight_messages 200",
        "# If more wait for the bridge, the next is lost, whoever said it: enough until the bridge has left a flood.",
        "max_queued_messages 100000",
        "persistent_client_expiration 1h",
        f"max_packet_size {most_bytes(broker.base) + _HEADER_BYTES}",
    ]


def _certificate_lines(broker: BrokerSettings, folder: Path, seen_as: PurePath) -> list[str]:
    if not broker.certificate_path or not broker.key_path:
        return []
    certificate, key = (_see(path, folder, seen_as) for path in (broker.certificate_path, broker.key_path))
    lines = [f"certfile {certificate}", f"keyfile {key}", _LEAST_TLS]
    if broker.client_ca_path:
        lines += [f"cafile {_see(broker.client_ca_path, folder, seen_as)}", "require_certificate true"]
    return lines


def _psk_lines(port: int, listen: str, seen_as: PurePath) -> list[str]:
    return [
        f"listener {port} {listen}", "psk_hint phoneterm", f"psk_file {seen_as / KEYS_NAME}", _LEAST_TLS,
        _BY_USER_NAME, _MOST_QOS,
    ]  # fmt: skip


def _see(path: Path, folder: Path, seen_as: PurePath) -> PurePath:
    """Return the path of a file as mosquitto sees it: below `seen_as` if it is in the folder, otherwise unchanged."""
    return seen_as / path.name if path.absolute().parent == folder.absolute() else path.absolute()


def _bridge_login(broker: BrokerSettings, terminals: dict[str, TerminalRecord]) -> str:
    password = broker.password.get_secret_value()
    if not _NAME_CHARS.issuperset(broker.username) or not broker.username:
        raise SetupProblem("The setting broker.username must be letters, digits, '_', '.' and '-'.")
    if broker.username in terminals:
        raise SetupProblem(
            f"A terminal has the name {broker.username!r} too: choose another broker.username, such as BRIDGE."
        )
    if len(password) < LEAST_PASSWORD_CHARS:
        raise SetupProblem(
            f"The setting broker.password must have at least {LEAST_PASSWORD_CHARS} characters; "
            "PHONETERM_BROKER__PASSWORD in the environment sets it."
        )
    # A salt derived from name and password keeps the file the same; guessing it costs as much as guessing the hash.
    salt = hashlib.pbkdf2_hmac("sha512", password.encode(), broker.username.encode(), passwords.MOSQUITTO_ROUNDS)
    return f"{broker.username}:{passwords.hash_for_mosquitto(password, salt[: passwords.SALT_BYTES])}"


def _terminal_logins(terminals: dict[str, TerminalRecord]) -> list[str]:
    live = (record for record in terminals.values() if record.mosquitto_hash and not record.is_revoked)
    return sorted(f"{record.tid}:{record.mosquitto_hash}" for record in live)


def _shared_keys(terminals: dict[str, TerminalRecord]) -> list[str]:
    return sorted(f"{record.tid}:{derive_psk(record.key)}" for record in terminals.values() if not record.is_revoked)


def _access_lines(broker: BrokerSettings) -> list[str]:
    """The contract's rules by user name; writable topics are listed one by one, so no terminal can fill the broker."""
    bridge_state = messages.topic_of(broker.base, "", messages.BRIDGE_STATE)
    return [
        FIRST_LINE,
        f"user {broker.username}",
        f"topic read {messages.bridge_filter(broker.base)}",
        f"topic write {messages.topic_filters(broker.base, '+')[0]}",
        f"topic write {bridge_state}",
        "# To clear what a revoked terminal has left behind, and for the bridge's messages to itself:",
        f"topic write {messages.topic_of(broker.base, '+', messages.STATE)}",
        "# Every terminal, %u being its user name:",
        *(f"pattern write {messages.topic_of(broker.base, '%u', kind)}" for kind in _SAID_BY_TERMINALS),
        f"pattern read {messages.topic_filters(broker.base, '%u')[0]}",
        f"pattern read {bridge_state}",
    ]


def _join(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
