"""What is wrong with the terminals of a running bridge: one log line when it begins and one when it is over.

Does not find troubles. `keep` writes them to the store, for other programs to read. A trouble continues while the
terminal is away; it ends when the terminal reports its end or is revoked, or with the bridge.
"""

import asyncio
import sqlite3
from collections.abc import Callable

import sqlalchemy as sa
import structlog

from phoneterm_bridge.store import troubles, wall_clock
from phoneterm_bridge.store.store_trouble import describe_for
from phoneterm_bridge.store.troubles import CONFIG, EXCESS, MEMORY, PERMISSIONS, TWICE, Trouble
from phoneterm_bridge.wording.logs import shorten
from phoneterm_bridge.wording.names import name_some

_WORDS = {
    PERMISSIONS: ("has not taken its permissions", "have not taken their permissions"),
    CONFIG: ("has not taken its configuration", "have not taken their configuration"),
    MEMORY: ("is short of memory", "are short of memory"),
    EXCESS: ("says too much and is cut off", "say too much and are cut off"),
    TWICE: ("is two boards with one name", "are two boards with one name each"),
}


class Troubles:
    """All present troubles, by terminal and kind."""

    def __init__(self, engine: sa.Engine, now_ms: Callable[[], int] = wall_clock.now_ms) -> None:
        """Start with none; the first `keep` clears what an earlier bridge left in the store."""
        self._engine = engine
        self._now_ms = now_ms
        self._standing: dict[tuple[str, str], Trouble] = {}
        self._is_kept = False
        self._is_told = False
        self.version = 0  # rises with every change

    def has(self, tid: str, what: str) -> bool:
        """Say whether a terminal has this trouble."""
        return (tid, what) in self._standing

    def begin(self, tid: str, what: str, detail: str) -> None:
        """Note that a terminal has a trouble, or its new description."""
        before = self._standing.get((tid, what))
        trouble = Trouble(tid, what, self._now_ms() if before is None else before.since_ms, shorten(detail))
        if trouble == before:
            return
        self._standing[tid, what] = trouble
        self.version += 1
        self._is_kept = False
        if before is None:
            structlog.get_logger().warning("terminal-in-trouble", tid=tid, what=what, detail=trouble.detail)

    def end(self, tid: str, what: str) -> None:
        """Note that a trouble is over, if there was one."""
        if self._standing.pop((tid, what), None) is not None:
            self._is_kept = False
            self.version += 1
            structlog.get_logger().info("terminal-out-of-trouble", tid=tid, what=what)

    def forget(self, tid: str) -> None:
        """A terminal was revoked: forget its troubles."""
        for what in troubles.KINDS:
            self.end(tid, what)

    def standing(self) -> list[Trouble]:
        """Return all of them, by terminal."""
        return sorted(self._standing.values())

    def of(self, tid: str) -> list[Trouble]:
        """Return those of one terminal."""
        found = (self._standing.get((tid, what)) for what in troubles.KINDS)
        return [one for one in found if one is not None]

    def describe(self) -> dict[str, str]:
        """Return a sentence for each kind of trouble that there is."""
        tids = {what: [one.tid for one in self.standing() if one.what == what] for what in troubles.KINDS}
        return {what: describe_trouble(what, some) for what, some in tids.items() if some}

    async def keep(self) -> None:
        """Write them to the store if they have changed; if that fails, the next call tries again."""
        if self._is_kept:
            return
        self._is_kept = True
        try:
            await asyncio.to_thread(troubles.replace_all, self._engine, self.standing())
        except (sa.exc.DatabaseError, sqlite3.DatabaseError) as error:
            self._is_kept = False
            if not self._is_told:
                structlog.get_logger().error("troubles-not-written", why=describe_for(self._engine, error))
            self._is_told = True
            return
        self._is_told = False


def describe_trouble(what: str, tids: list[str], detail: str = "") -> str:
    """Return a sentence that names the terminals, or a few of them."""
    one, more = _WORDS[what]
    subject, verb = (f"The terminal {tids[0]}", one) if len(tids) == 1 else (f"The terminals {name_some(tids)}", more)
    return f"{subject} {verb}{': ' * bool(detail)}{detail}."
