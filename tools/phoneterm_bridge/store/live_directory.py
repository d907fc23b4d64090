"""The directory as the running bridge knows it, always one whole revision. Does not write the store.

`refresh` notices within one poll what any process changed in the store, and returns the terminals concerned.
"""

import asyncio

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

    @property
    def snapshot(self) -> Snapshot:
        """The whole directory as it is in force here."""
        return self._snapshot

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
        before = self._snapshot.terminals
        self._snapshot = await asyncio.to_thread(reading.read_snapshot, self._engine)
        if self._removed is None:
            self._removed = await asyncio.to_thread(read_removed, self._engine)
        by_endpoint: dict[str, tuple[str, ...]] = {}
        for tid, record in self._snapshot.terminals.items():
            if not record.is_revoked:
                by_endpoint[record.endpoint] = (*by_endpoint.get(record.endpoint, ()), tid)
        self._by_endpoint = by_endpoint
        self.rotated = frozenset(
            tid
            for tid, record in self._snapshot.terminals.items()
            if tid in before and record.secrets != before[tid].secrets
        )
        removed = before.keys() - self._snapshot.terminals.keys()
        self._removed |= removed
        changed = (tid for tid, record in self._snapshot.terminals.items() if record != before.get(tid))
        return (*changed, *sorted(removed))
