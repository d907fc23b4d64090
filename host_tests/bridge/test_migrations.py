"""Migrations: a store of the first schema, with a day's data in it, becomes one of today and loses nothing."""

import json
import sqlite3
from pathlib import Path

import phoneterm_bridge.store.migrations
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from phoneterm_bridge.store import reading, tables
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.journal_proof import prove
from phoneterm_bridge.store.journal_reading import find_change, find_nearest
from phoneterm_bridge.why import explain

_T_MS = 1_780_000_000_000
_DATA = f"""
    INSERT INTO users VALUES ('tech1', 1);
    INSERT INTO extensions VALUES ('101', '101', 'internal', 'term', 'tech1');
    INSERT INTO terminals VALUES ('phone-101', '101', 'a hash', x'0102', 0, {_T_MS});
    INSERT INTO permissions VALUES ('phone-101', 1, 0, 'internal,national');
    INSERT INTO changes VALUES (2, {_T_MS}, 'cli:anna', 'tech1', 'user added, multi user aware True');
    INSERT INTO changes VALUES (3, {_T_MS + 9000}, 'cli:bert', 'phone-101', 'attended False');
    UPDATE state SET revision = 3, config_text = 'x', config_revision = 4;
    INSERT INTO commands VALUES (1, 'phone-101', 's.1', {_T_MS + 1000}, '101', 'blind', '102', 'c1');
    INSERT INTO commands VALUES (2, 'phone-101', NULL, {_T_MS + 2000}, '101', NULL, NULL, NULL);
    INSERT INTO commands VALUES (3, 'phone-101', 's.2', {_T_MS + 3000}, '101', 'attended', '103', NULL);
    INSERT INTO command_events VALUES (1, 1, {_T_MS + 1000}, 'check', 'passed', NULL);
    INSERT INTO command_events VALUES (2, 1, {_T_MS + 1001}, 'action', 'blind', NULL);
    INSERT INTO command_events VALUES (3, 2, {_T_MS + 2000}, 'check', 'refused', 'bad-signature');
    INSERT INTO command_events VALUES (4, 2, {_T_MS + 2000}, 'result', 'rejected', 'bad-signature');
    INSERT INTO command_events VALUES (5, 1, {_T_MS + 2500}, 'result', 'failed', 'busy');
    INSERT INTO command_events VALUES (6, 3, {_T_MS + 3000}, 'check', 'passed', NULL);
    INSERT INTO open_commands VALUES (3);
"""


@pytest.fixture
def engine(tmp_path):
    """A store of the first schema with data, opened by the code of today."""
    path = tmp_path / "bridge.db"
    config = Config()
    config.set_main_option("script_location", str(Path(phoneterm_bridge.store.migrations.__file__).parent))
    old = sa.create_engine(f"sqlite:///{path}")
    with old.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    old.dispose()
    with sqlite3.connect(path) as connection:
        connection.executescript(_DATA)
    connection.close()
    engine = open_store(path)
    yield engine
    engine.dispose()


def test_terminals_keep_what_they_may_and_gain_nothing(engine):
    snapshot = reading.read_snapshot(engine)
    record = snapshot.terminals["phone-101"]
    assert (snapshot.revision, snapshot.is_external_revoked) == (3, False)
    assert (record.classes, record.allows_blind, record.allows_attended) == (("internal", "national"), True, False)
    assert (record.key, record.mosquitto_hash) == (b"\1\2", None)
    assert (record.allow_prefixes, record.deny_prefixes) == ((), ())


def test_all_that_happened_becomes_one_whole_chain_in_its_order(engine):
    assert prove(engine).problem is None
    with engine.connect() as connection:
        rows = connection.execute(sa.select(tables.journal).order_by(tables.journal.c.seq)).all()
    assert [row.seq for row in rows] == list(range(1, 12))
    assert [(row.entry, row.stage, row.word) for row in rows] == [
        (None, "change", "directory"),
        (1, "received", "command"),
        (1, "check", "passed"),
        (1, "action", "blind"),
        (2, "received", "command"),
        (2, "check", "refused"),
        (2, "result", "rejected"),
        (1, "result", "failed"),
        (3, "received", "command"),
        (3, "check", "passed"),
        (None, "change", "directory"),
    ]
    assert json.loads(rows[1].detail) == ["phone-101", "s.1", "101", "blind", "102", "c1"]


def test_old_commands_and_changes_can_be_asked_about(engine):
    sentence = explain(find_nearest(engine, "101", _T_MS + 1000))
    assert "101 keyed #1 and 102. It did not work, because the number was busy." in sentence
    assert find_change(engine, ("phone-101",), 1 << 50)[1:] == ("cli:bert", "", "phone-101", "attended False")


def test_what_was_open_is_still_open(engine):
    with engine.connect() as connection:
        assert connection.execute(sa.select(tables.open_commands.c.entry)).scalars().all() == [3]


def test_the_old_tables_are_gone(engine):
    assert {"command_events", "changes"}.isdisjoint(sa.inspect(engine).get_table_names())
