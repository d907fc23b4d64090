"""What is seen of the terminals: online, when last, firmware, board, address, signal. Judges none of it.

`keep` writes to the store what has changed, for the command line and for the next start; a terminal that only goes on
talking is written once a minute. At the start nobody is online: every terminal says hello anew.
"""

import asyncio
import sqlite3
from collections.abc import Callable

import sqlalchemy as sa
import structlog

from phoneterm_bridge.store import sightings as stored
from phoneterm_bridge.store import wall_clock
from phoneterm_bridge.store.sightings import Sighting
from phoneterm_bridge.store.store_trouble import describe_for

REPORTS_REFUSALS = "refusals"  # the word in a hello's `caps` for firmware that reports what it refuses
_SEEN_EVERY_MS = 60_000


class Sightings:
    """The last sighting of each terminal. `address_of` returns where a terminal is connected from, if that is known."""

    def __init__(
        self, engine: sa.Engine, address_of: Callable[[str], str | None],
        now_ms: Callable[[], int] = wall_clock.now_ms,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._address_of = address_of
        self._now_ms = now_ms
        self._known: dict[str, Sighting] = {}
        self._kept: dict[str, Sighting] = {}
        self._is_told = False

    def recall(self) -> None:
        """Read what an earlier bridge saw; nobody is online yet. The first `keep` writes that."""
        with self._engine.connect() as connection:
            self._kept = stored.read_all(connection)
        self._known = {tid: one._replace(is_online=False) for tid, one in self._kept.items()}

    def find(self, tid: str) -> Sighting | None:
        """Return the sighting of a terminal, if it was ever seen."""
        return self._known.get(tid)

    def all(self) -> list[Sighting]:
        """Return all of them, by terminal."""
        return sorted(self._known.values())

    def greet(self, tid: str, hello: dict) -> None:
        """A terminal has said hello and got a session."""
        before = self._known.get(tid)
        is_same_start = before is not None and before.boot == hello["boot"]
        refusals = before.refusals if before is not None and is_same_start else None
        if REPORTS_REFUSALS in hello["caps"]:
            refusals = refusals or 0
        self._known[tid] = Sighting(
            tid, True, self._now_ms(), hello["boot"], hello["fw"], hello["board"], self._address_of(tid),
            before.rssi_dbm if before is not None else None, refusals,
        )  # fmt: skip

    def see(self, tid: str, rssi_dbm: int | None = None) -> None:
        """A terminal has said something, perhaps its signal."""
        before = self._known.get(tid)
        if before is not None:
            now = rssi_dbm if rssi_dbm is not None else before.rssi_dbm
            self._known[tid] = before._replace(seen_ms=self._now_ms(), rssi_dbm=now)

    def lose(self, tid: str) -> None:
        """A terminal has no session any more."""
        if tid in self._known:
            self._known[tid] = self._known[tid]._replace(is_online=False)

    def forget(self, tid: str) -> None:
        """A terminal was revoked or removed: write nothing more of it."""
        self._known.pop(tid, None)

    def count_refusal(self, tid: str, number: int) -> None:
        """The journal has this refusal of the terminal's present start."""
        if tid in self._known:
            self._known[tid] = self._known[tid]._replace(refusals=number)

    async def keep(self, is_last: bool = False) -> None:
        """Write to the store what has changed; if that fails, the next call tries again. `is_last`: the bridge ends."""
        changed = [one for tid, one in self._known.items() if self._is_due(self._kept.get(tid), one, is_last)]
        if not changed:
            return
        try:
            await asyncio.to_thread(stored.write_all, self._engine, changed)
        except (sa.exc.DatabaseError, sqlite3.DatabaseError) as error:
            if not self._is_told:
                structlog.get_logger().error("sightings-not-written", why=describe_for(self._engine, error))
            self._is_told = True
            return
        self._is_told = False
        self._kept |= {one.tid: one for one in changed}

    def _is_due(self, kept: Sighting | None, one: Sighting, is_last: bool) -> bool:
        if kept is None or kept._replace(seen_ms=one.seen_ms) != one:
            return True
        return one.seen_ms != kept.seen_ms and (is_last or one.seen_ms - kept.seen_ms >= _SEEN_EVERY_MS)
