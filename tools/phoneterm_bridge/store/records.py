"""What the directory says about a terminal, as values. Does not read or write the store.

A `Snapshot` is the whole directory at one revision, so the bridge never works from half a change.
"""

from dataclasses import dataclass, field

from phoneterm.core.operations import FLAGS, MULTI_USER_AWARE

TERMINAL_TYPE = "term"  # VoipNow's word for the extension type of a phone terminal
DEFAULT_CLASSES = ("internal",)


def name_source(mark: str) -> str:
    """Return what people call the PBX that says who is multi user aware; the store has with it which one it is."""
    return mark.partition(" ")[0]


@dataclass(frozen=True)
class TerminalRecord:
    """One terminal with its extension, user and permissions. `key` signs messages; it is not the MQTT password.

    is_unconfirmed: the PBX is to say whether its user is multi user aware, and has not, or not for too long.
    """

    tid: str
    extension: str
    endpoint: str
    context: str
    extension_type: str
    user: str
    is_multi_user_aware: bool
    allows_blind: bool
    allows_attended: bool
    classes: tuple[str, ...]
    is_revoked: bool
    key: bytes = field(repr=False)
    password_hash: str = field(repr=False)
    mosquitto_hash: str | None = field(default=None, repr=False)
    allow_prefixes: tuple[str, ...] = ()
    deny_prefixes: tuple[str, ...] = ()
    is_external_revoked: bool = False
    is_unconfirmed: bool = False

    @property
    def secrets(self) -> tuple[bytes, str]:
        """Return the values that change when the terminal gets new secrets."""
        return self.key, self.password_hash

    @property
    def may_transfer(self) -> bool:
        """Return whether the extension is a phone terminal and its user is multi user aware."""
        is_phone = self.extension_type == TERMINAL_TYPE
        return self.is_multi_user_aware and is_phone and not self.is_revoked and not self.is_unconfirmed

    @property
    def flags(self) -> tuple[str, ...]:
        """Return those of the flags for operations that are set."""
        return tuple(flag for flag in FLAGS if self.has(flag))

    def has(self, permission: str) -> bool:
        """Return whether it has a permission that an operation needs beyond `may_transfer`; False for unknown ones."""
        flags = {MULTI_USER_AWARE: True, "blind": self.allows_blind, "attended": self.allows_attended}
        return flags.get(permission, False)


@dataclass(frozen=True)
class Snapshot:
    """All terminals by tid, revoked ones included, at one revision of the directory.

    external_since_ms: when external transfers were last revoked or restored; 0 for never. source_trouble: why the PBX
    does not tell at present who is multi user aware, so that what it said last counts; "" when it does, or need not.
    permission_source: the PBX that says who is; "" where the store alone does.
    groups: the site group of each terminal that is in one; it decides nothing, so it is no part of the record.
    """

    revision: int
    terminals: dict[str, TerminalRecord]
    is_external_revoked: bool = False
    external_since_ms: int = 0
    source_trouble: str = ""
    permission_source: str = ""
    groups: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Enrolment:
    """The secrets of a new terminal, shown only once: the store keeps only hashes of the password."""

    tid: str
    mqtt_password: str = field(repr=False)
    mac_key: bytes = field(repr=False)
