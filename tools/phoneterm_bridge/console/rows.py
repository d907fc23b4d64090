"""The row of each terminal as the console shows it: what it is, whether it is there, what it is doing. Shows none.

`find_changed` is cheap, because it looks at every terminal several times a second: it makes a row only where something
that it follows from is another object than before.
"""

import operator
from dataclasses import dataclass
from typing import NamedTuple

from phoneterm_bridge.administration.firmware_age import find_newest
from phoneterm_bridge.administration.terminal_view import describe_rights
from phoneterm_bridge.console.sources import Sources
from phoneterm_bridge.store.records import Snapshot, TerminalRecord
from phoneterm_bridge.store.troubles import PERMISSIONS, Trouble
from phoneterm_bridge.terminals.deliveries import Standing
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
    group: str
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
        said = (self.tid, self.extension, self.user, self.group, self.firmware, self.board, self.address)
        return " ".join((*said, *self.troubles)).lower()


_is = operator.is_


@dataclass
class _Known:
    """What a row followed from when it was looked at last."""

    marks: tuple
    record: TerminalRecord
    group: str
    standing: Standing | None
    troubles: list[Trouble]


class Rows:
    """The rows of all terminals."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._marks: dict[str, _Known] = {}
        self._versions: tuple[Snapshot | None, int, int] = (None, -1, -1)

    def tids(self) -> list[str]:
        """Return all terminals."""
        return sorted(self._sources.directory.snapshot.terminals)

    @property
    def count(self) -> int:
        """How many terminals there are."""
        return len(self._sources.directory.snapshot.terminals)

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
            tid, record.extension, record.extension_type, record.user, at.directory.snapshot.groups.get(tid, ""), state,
            None if is_online or seen is None else seen.seen_ms, call, standing, since_ms, describe_rights(record),
            seen.firmware if seen else "", seen.board if seen else "", (seen.address if seen else None) or "",
            _describe_signal(seen.rssi_dbm) if seen and is_online else "", _describe_scan(said.get("gap_p99_ms")),
            troubles,
        )  # fmt: skip

    def all(self) -> list[Row]:
        """Return all rows, by terminal."""
        return [row for tid in self.tids() if (row := self.find(tid)) is not None]

    def begin(self) -> None:
        """Remember what is there now."""
        self._marks.clear()
        self.find_changed()

    def find_changed(self) -> list[str]:
        """Return the terminals whose row may have changed since the last call, or that are new."""
        at = self._sources
        snapshot, deliveries = at.directory.snapshot, at.updates.deliveries
        terminals, groups = snapshot.terminals, snapshot.groups
        versions = (snapshot, deliveries.version, at.troubles.version)
        is_same_directory, is_same_delivery, is_same_trouble = (
            one is other or (isinstance(one, int) and one == other)
            for one, other in zip(versions, self._versions, strict=True)
        )
        self._versions = versions
        seen, call, said = at.sightings.find, at.updates.told_call, at.telemetry.find
        boot = at.updates.crash_reports.boot_in_safe_mode
        changed = []
        for tid, record in terminals.items():
            marks = (seen(tid), call(tid), said(tid), boot(tid))
            before = self._marks.get(tid)
            if before is None:
                standing = deliveries.find(tid, PERMISSIONS)
                self._marks[tid] = _Known(marks, record, groups.get(tid, ""), standing, at.troubles.of(tid))
                changed.append(tid)
                continue
            is_same = all(map(_is, marks, before.marks))
            before.marks = marks
            if not is_same_directory and (record, groups.get(tid, "")) != (before.record, before.group):
                before.record, before.group, is_same = record, groups.get(tid, ""), False
            if not is_same_delivery and (standing := deliveries.find(tid, PERMISSIONS)) != before.standing:
                before.standing, is_same = standing, False
            if not is_same_trouble and (troubles := at.troubles.of(tid)) != before.troubles:
                before.troubles, is_same = troubles, False
            if not is_same:
                changed.append(tid)
        for tid in self._marks.keys() - terminals.keys():
            del self._marks[tid]
        return changed

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

    def find_absence(self, tid: str, what: str) -> str:
        """Return why a request cannot reach a terminal now; empty if it can."""
        row = self.find(tid)
        state = NEVER if row is None else row.state
        if state == SAFE_MODE and what == "identify":
            return "it is in safe mode, and shows itself by its lamp alone"
        return "" if state in (ONLINE, SAFE_MODE) else "it is not online"

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
    return find_newest(row.firmware for row in rows if row.state != REVOKED)


def _describe_signal(rssi_dbm: int | None) -> str:
    return "" if rssi_dbm is None else next(word for least, word in _SIGNALS if rssi_dbm >= least)


def _describe_scan(gap_ms: int | None) -> str:
    if gap_ms is None:
        return ""
    return "good" if gap_ms < _SLOW_SCAN_MS else f"late: {gap_ms} ms"
