"""A store with a journal of a few commands, and whoever writes into its file past the bridge. Judges nothing.

Entries 1 to 3 are the directory; 4 to 6 three commands, received and checked; 7 to 9 their results.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from phoneterm_bridge.cli import journal_app
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal import Event, Journal
from phoneterm_bridge.store.reading import read_snapshot
from typer.testing import CliRunner

from attack_lab.scenery.fresh_store import open_fresh_store

LAST = 9


async def fill_journal(path: Path) -> None:
    """Make the store."""
    engine = open_fresh_store(path)
    directory = Directory(engine, "test")
    directory.add_user("tech1", True)
    directory.add_extension("101", "tech1")
    directory.add_terminal("phone-101", "101")
    terminal = read_snapshot(engine).terminals["phone-101"]
    journal = Journal(engine)
    await journal.start()
    for index in range(3):
        fields = {"id": f"s.{index}", "op": "blind", "number": "102", "call": None}
        recorded = await journal.open(terminal, fields, [Event("check", "passed", None, [])])
        journal.append(recorded, Event("result", "done"))
    await journal.stop()
    engine.dispose()


def tamper(path: Path, *statements: str) -> None:
    """Change the store without the triggers of the journal, which stay away."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in ("journal", "commands"):
            for verb in ("update", "delete"):
                connection.execute(f"DROP TRIGGER {table}_no_{verb}")
        for statement in statements:
            connection.execute(statement)


def harm(path: Path, *statements: str) -> None:
    """Change the store, and leave the triggers as they are in the end."""
    with closing(sqlite3.connect(path)) as connection, connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        for _, text in triggers:
            connection.execute(text)


def change_schema(path: Path, *statements: str) -> None:
    """Run statements as they are."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def write_schema(path: Path, *statements: str) -> None:
    """Run statements that may write into the schema itself, past the checks of SQLite."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        for statement in statements:
            connection.execute(statement)


def hide_in_schema(path: Path) -> None:
    """Add a trigger that grants rights, under a name as only SQLite gives them."""
    text = "CREATE TRIGGER sqlite_own AFTER UPDATE ON state BEGIN UPDATE permissions SET attended = 1; END"
    write_schema(path, f"INSERT INTO sqlite_master VALUES ('trigger', 'sqlite_own', 'state', 0, '{text}')")


def leave_out_of_index(path: Path) -> None:
    """Have the index of changes, by which they are listed, leave one out; its text stays the right one."""
    write_schema(
        path,
        "CREATE TEMP TABLE kept AS SELECT sql FROM sqlite_master WHERE name = 'ix_journal_changes'",
        "DROP INDEX ix_journal_changes",
        "CREATE INDEX ix_journal_changes ON journal (at_ms) WHERE stage = 'change' AND seq <> 3",
        "UPDATE sqlite_master SET sql = (SELECT sql FROM kept) WHERE name = 'ix_journal_changes'",
    )


def lie_in_view(path: Path) -> None:
    """Have the view that people read say of every line that it failed."""
    with closing(sqlite3.connect(path)) as connection, connection:
        ((text,),) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'lines'")
        connection.execute("DROP VIEW lines")
        connection.execute(text.replace("word, reason, detail FROM", "'failed', reason, detail FROM"))


def ask_journal(path: Path, *words: str) -> tuple[int, str]:
    """Run `phoneterm journal` with these words; return its exit code, and what it said."""
    result = CliRunner().invoke(journal_app, [*words, "--set", f"store.path={path}"])
    return result.exit_code, result.output.strip()
