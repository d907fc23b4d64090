"""The row of each terminal as the console shows it: what it is, whether it is there, what it is doing. Shows none.

Cheap, because it is asked for every terminal several times a second: whoever compares `marks` knows whether a row may
have changed without making it.
"""

from typing import NamedTuple

from phoneterm_bridge.administration.terminal_view import describe_rights
from phoneterm_bridge.console.sources import Sources
from phoneterm_bridge.store.records import TerminalRecord
from phoneterm_bridge.store.troubles import PERMISSIONS
from phoneterm_bridge.terminals.troubles import describe_trouble

ONLINE, OFFLINE, NEVER, SAFE_MODE, REVOKED = "online", "offline", "never seen", "safe mode", "revoked"
IN_FORCE, PENDING, AT_NEXT_START = "in force", "pending", "at next start"
_SIGNALS = ((-60, "strong"), (-70, "good"), (-80, "weak"), (-1000, "bad"))  # from so many dBm on
_SLOW_SCAN_MS = 20  # a scan that comes later may miss a key


class Row(NamedTuple):
    """One terminal, in words. since_ms: since when its permissions are in force; seen_ms: unless it is online."""

    tid: str
    extension: str
    extension_type: str
    user: str
    state: str
    seen_ms: int | None
    call: str
    standing: str
    since_ms: int | None
    rights: str
    firmware: str
    board: str
    address: str
    signal: str
    scan: str
    troubles: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return what a search looks through, in small letters."""
        said = (self.tid, self.extension, self.user, self.firmware, self.board, self.address, *self.troubles)
        return " ".join(said).lower()


class Rows:
    """The rows of all terminals."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def tids(self) -> list[str]:
        """Return all terminals."""
        return sorted(self._sources.directory.snapshot.terminals)

    def marks(self, tid: str) -> tuple:
        """Return what a row follows from; two marks of other objects may still make the same row."""
        at = self._sources
        return (
            at.directory.snapshot.terminals.get(tid),
            at.sightings.find(tid),
            at.updates.told_call(tid),
            at.updates.deliveries.find(tid, PERMISSIONS),
            at.telemetry.find(tid),
            at.updates.crash_reports.boot_in_safe_mode(tid),
            at.troubles.version,
        )

    def find(self, tid: str) -> Row | None:
        """Return a terminal's row; None when there is no such terminal."""
        at = self._sources
        record = at.directory.snapshot.terminals.get(tid)
        if record is None:
            return None
        seen, state = at.sightings.find(tid), self._state_of(record)
        is_online = state == ONLINE
        standing, since_ms = self.standing_of(record)
        said = dict(at.telemetry.find(tid) or ()) if is_online else {}
        call = (at.updates.told_call(tid) or {}).get("state", "") if is_online else ""
        troubles = tuple(describe_trouble(one.what, [tid], one.detail) for one in at.troubles.of(tid))
        return Row(
            tid, record.extension, record.extension_type, record.user, state,
            None if is_online or seen is None else seen.seen_ms, call, standing, since_ms, describe_rights(record),
            seen.firmware if seen else "", seen.board if seen else "", (seen.address if seen else None) or "",
            _describe_signal(seen.rssi_dbm) if seen and is_online else "", _describe_scan(said.get("gap_p99_ms")),
            troubles,
        )  # fmt: skip

    def all(self) -> list[Row]:
        """Return all rows, by terminal."""
        return [row for tid in self.tids() if (row := self.find(tid)) is not None]

    def standing_of(self, record: TerminalRecord) -> tuple[str, int | None]:
        """Return whether a terminal's permissions are in force there, and since when."""
        if record.is_revoked:
            return "", None
        standing = self._sources.updates.deliveries.find(record.tid, PERMISSIONS)
        if standing is None or self._sources.sessions.live(record.tid) is None:
            return AT_NEXT_START, None
        if standing.in_force < standing.sent:
            return PENDING, None
        return IN_FORCE, standing.since_ms

    def _state_of(self, record: TerminalRecord) -> str:
        if record.is_revoked:
            return REVOKED
        if self._sources.sessions.live(record.tid) is not None:
            return ONLINE
        if self._sources.updates.crash_reports.boot_in_safe_mode(record.tid) is not None:
            return SAFE_MODE
        return NEVER if self._sources.sightings.find(record.tid) is None else OFFLINE


def newest_firmware(rows: list[Row]) -> str:
    """Return the newest firmware that is in use."""
    return max((row.firmware for row in rows if row.state != REVOKED), key=_version_of, default="")


def _version_of(firmware: str) -> tuple:
    return tuple((part.isdigit(), int(part) if part.isdigit() else 0, part) for part in firmware.split("."))


def _describe_signal(rssi_dbm: int | None) -> str:
    return "" if rssi_dbm is None else next(word for least, word in _SIGNALS if rssi_dbm >= least)


def _describe_scan(gap_ms: int | None) -> str:
    if gap_ms is None:
        return ""
    return "good" if gap_ms < _SLOW_SCAN_MS else f"late: {gap_ms} ms"
