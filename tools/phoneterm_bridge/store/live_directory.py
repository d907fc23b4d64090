"""The directory as the running bridge knows it, always one whole revision. Does not write the store.

`refresh` notices within one poll what any process changed in the store, and returns the terminals concerned.
"""

import asyncio
from typing import NamedTuple

import sqlalchemy as sa

from phoneterm_bridge.store import reading
from phoneterm_bridge.store.records import Snapshot, TerminalRecord
from phoneterm_bridge.store.removed import read_removed


class LiveDirectory:
    """The terminals by tid and by endpoint."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._snapshot = Snapshot(0, {})
        self._by_endpoint: dict[str, tuple[str, ...]] = {}
        self._removed: set[str] | None = None  # None until the journal has been asked
        self.rotated: frozenset[str] = frozenset()  # the terminals that got new secrets with the last refresh

    @property
    def revision(self) -> int:
        """The revision of the directory that is in force here."""
        return self._snapshot.revision

    @property
    def revoked(self) -> tuple[str, ...]:
        """All revoked terminals, and all that were removed."""
        terminals = self._snapshot.terminals
        gone = sorted((self._removed or set()) - terminals.keys())
        return (*(tid for tid, record in terminals.items() if record.is_revoked), *gone)

    def all_tids(self) -> tuple[str, ...]:
        """Return every terminal that there is or was."""
        return (*self._snapshot.terminals, *((self._removed or set()) - self._snapshot.terminals.keys()))

    @property
    def snapshot(self) -> Snapshot:
        """The whole directory as it is in force here."""
        return self._snapshot

    @property
    def endpoints(self) -> frozenset[str]:
        """The endpoints of all terminals that are not revoked."""
        return frozenset(self._by_endpoint)

    def find(self, tid: str) -> TerminalRecord | None:
        """Return a terminal that exists and is not revoked."""
        record = self._snapshot.terminals.get(tid)
        return None if record is None or record.is_revoked else record

    def at_endpoint(self, endpoint: str) -> tuple[str, ...]:
        """Return the terminals that belong to an endpoint of the PBX."""
        return self._by_endpoint.get(endpoint, ())

    async def refresh(self) -> tuple[str, ...]:
        """Load the store's present revision; return the tids whose record is new, has changed or was removed."""
        if await asyncio.to_thread(reading.read_revision, self._engine) == self._snapshot.revision:
            self.rotated = frozenset()
            return ()
        before, is_first = self._snapshot.terminals, self._removed is None
        loaded = await asyncio.to_thread(_load, self._engine, before, is_first)
        self._snapshot, self._by_endpoint, self.rotated = loaded.snapshot, loaded.by_endpoint, loaded.rotated
        self._removed = (self._removed or set()) | loaded.removed
        return loaded.changed


class _Loaded(NamedTuple):
    """A revision of the directory, and what is different from the one before."""

    snapshot: Snapshot
    by_endpoint: dict[str, tuple[str, ...]]
    rotated: frozenset[str]
    removed: set[str]
    changed: tuple[str, ...]


def _load(engine: sa.Engine, before: dict[str, TerminalRecord], is_first: bool) -> _Loaded:
    """Read the present revision and compare it, all in one thread: with many terminals either takes long."""
    snapshot = reading.read_snapshot(engine)
    terminals = snapshot.terminals
    by_endpoint: dict[str, tuple[str, ...]] = {}
    for tid, record in terminals.items():
        if not record.is_revoked:
            by_endpoint[record.endpoint] = (*by_endpoint.get(record.endpoint, ()), tid)
    rotated = (tid for tid, one in terminals.items() if tid in before and one.secrets != before[tid].secrets)
    removed = before.keys() - terminals.keys()
    changed = (*(tid for tid, one in terminals.items() if one != before.get(tid)), *sorted(removed))
    gone = removed | (read_removed(engine) if is_first else set())
    return _Loaded(snapshot, by_endpoint, frozenset(rotated), gone, changed)
