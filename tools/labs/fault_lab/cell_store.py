"""The store file of one cell's bridge, seen from outside: filled before the bridge starts, and read while it runs.

Does not write to the journal.
"""

import asyncio
from pathlib import Path

import sqlalchemy as sa
from phoneterm_bridge.store import tables
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal import REFUSED
from phoneterm_bridge.store.records import Enrolment


class CellStore:
    """One store file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self, tid: str, extension: str) -> Enrolment:
        """Make the store, with one terminal whose user may transfer; return its secrets.

        Not for a thread: migrations cannot run in two at a time.
        """
        engine = open_store(self.path)
        directory = Directory(engine, "chaos")
        directory.add_user("alice", is_multi_user_aware=True)
        directory.add_extension(extension, "alice")
        enrolment = directory.add_terminal(tid, extension)
        engine.dispose()
        return enrolment

    async def last_entry(self) -> int:
        """Return the journal's newest entry, 0 for none."""
        rows = await asyncio.to_thread(self._read, sa.select(sa.func.max(tables.commands.c.entry)))
        return int(rows[0][0] or 0)

    async def results_after(self, entry: int) -> list[list[str]]:
        """Return the results of each command that came after an entry of the journal.

        What the terminal refused by itself, or got no answer to, is no command.
        """
        commands, lines = tables.commands.c, tables.lines.c
        wide = tables.commands.outerjoin(tables.lines, (lines.entry == commands.entry) & (lines.stage == "result"))
        query = sa.select(commands.entry, lines.word).select_from(wide).where(commands.entry > entry)
        query = query.where(sa.or_(lines.word.is_(None), lines.word != REFUSED))
        found: dict[int, list[str]] = {}
        for row in await asyncio.to_thread(self._read, query.order_by(commands.entry, lines.seq, lines.part)):
            found.setdefault(row[0], []).extend([row[1]] if row[1] else [])
        return list(found.values())

    def _read(self, query: sa.Select) -> list[sa.Row]:
        engine = sa.create_engine(f"sqlite:///{self.path}", connect_args={"timeout": 5}, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return list(connection.execute(query).all())
