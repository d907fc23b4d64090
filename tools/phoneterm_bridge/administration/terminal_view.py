"""What a terminal is, may do and was last seen doing, as values. Does not read the store."""

from typing import NamedTuple

from phoneterm_bridge.store.records import TerminalRecord
from phoneterm_bridge.store.sightings import Sighting
from phoneterm_bridge.store.troubles import Trouble


class TerminalView(NamedTuple):
    """One terminal: its record, and what the running bridge knows of it."""

    record: TerminalRecord
    sighting: Sighting | None
    is_online: bool | None  # None: no bridge runs, so nobody knows
    troubles: list[Trouble]
    group: str  # its site group; empty for none


def describe_rights(record: TerminalRecord) -> str:
    """Return in a few words what a terminal may do now."""
    if record.is_revoked:
        return "revoked"
    if record.is_unconfirmed:
        return "nothing: the PBX has not said whether it may, or not for too long"
    if not record.may_transfer:
        why = "extension is no phone terminal" if record.is_multi_user_aware else "not multi user aware"
        return f"nothing: {why}"
    return f"{' and '.join(record.flags) or 'no transfers'} to {', '.join(record.classes) or 'nothing'}"


def as_fields(one: TerminalView) -> dict:
    """Return the same as plain values, without secrets."""
    record, sighting = one.record, one.sighting
    fields: dict = {"terminal": record.tid, "extension": record.extension, "user": record.user}
    fields |= {"endpoint": record.endpoint, "context": record.context, "type": record.extension_type}
    fields |= {"is_revoked": record.is_revoked, "is_multi_user_aware": record.is_multi_user_aware}
    fields |= {"is_unconfirmed": record.is_unconfirmed}
    fields |= {"operations": record.flags, "classes": record.classes, "group": one.group}
    fields |= {"allow": record.allow_prefixes, "deny": record.deny_prefixes}
    fields |= {"is_external_revoked": record.is_external_revoked, "is_online": one.is_online}
    names = ("seen_ms", "firmware", "board", "address", "rssi_dbm", "refusals")
    fields |= {name: getattr(sighting, name, None) for name in names}
    return fields | {"troubles": [trouble._asdict() for trouble in one.troubles]}
