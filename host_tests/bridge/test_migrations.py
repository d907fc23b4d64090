"""Migrations: a store of any earlier schema, with a day's data in it, gets the present schema and loses nothing."""

import hashlib
import json
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from functools import lru_cache
from pathlib import Path

import phoneterm_bridge.store.migrations
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from phoneterm_bridge.store import reading, tables
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal_proof import prove
from phoneterm_bridge.store.journal_reading import find_change, find_nearest
from phoneterm_bridge.store.pbx_permissions import read_following
from phoneterm_bridge.store.requests import read_waiting, withdraw
from phoneterm_bridge.store.schema import MIGRATIONS, read_schema
from phoneterm_bridge.store.upgrading import upgrade_store
from phoneterm_bridge.wording.why import explain, result_of

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


# What a store can have in it from a later schema on, beyond the data of the first one.
_LATER_DATA = {
    "0002": "UPDATE terminals SET mosquitto_hash = 'the hash of mosquitto'",
    "0003": "",  # a row of the chain, which is added in code
    "0004": """
        UPDATE permissions SET allow_prefixes = '030,0171', deny_prefixes = '0309';
        UPDATE state SET external_revoked = 1, external_since_ms = 7
    """,
    "0005": f"INSERT INTO requests VALUES (7, 'phone-101', 'wipe', 'cli:anna', 'host pc7', {_T_MS}, NULL)",
    "0006": "",  # a row with several lines, which is added in code
    "0007": f"""
        INSERT INTO commands VALUES (4, 'phone-101', 's.4', {_T_MS + 40_000}, '101', 'blind', '104', NULL);
        INSERT INTO commands_by_extension VALUES ('101', {_T_MS + 40_000}, 4);
        UPDATE commands_indexed SET entry = 4
    """,
    "0008": f"INSERT INTO troubles VALUES ('phone-101', 'config', {_T_MS}, 'the memory is too short to read it')",
    "0009": f"INSERT INTO sightings VALUES ('phone-101', 1, {_T_MS}, 'b001', '1.0', 'VIRTUAL', '192.0.2.7', -61, 2)",
    "0010": f"INSERT INTO accounts VALUES ('anna', 'admin', '$argon2id$x', {_T_MS})",
    "0011": "UPDATE terminals SET site_group = 'Berlin, 2nd floor'",
    "0012": f"""
        UPDATE state SET permission_source = 'VoipNow';
        INSERT INTO pbx_permissions VALUES ('101', '21', 'term', 1, 0, {_T_MS}, '')
    """,
}
_CHANGE = '{"revision":3,"who":"cli:carl","where":"host pc7","what":"multi user aware True","subject":"tech1"}'
_LINES = f'[["event","done",null,null,{_T_MS + 30_000}],["result","done",null,{{"more":[1]}},{_T_MS + 30_001}]]'
_SCRIPTS = str(Path(phoneterm_bridge.store.migrations.__file__).parent)
_SCHEMAS = sorted(step.revision for step in ScriptDirectory(_SCRIPTS).walk_revisions())


def make_old_store(path, schema):
    """Make a store that began with the first schema, was used with each one up to `schema`, and not since."""
    path.write_bytes(_make_old(schema))


@lru_cache
def _make_old(schema):
    """Return the file of such a store, which is the one of the schema before with one step more."""
    at = _SCHEMAS.index(schema)
    with tempfile.TemporaryDirectory(prefix="phoneterm-store-") as folder:
        path = Path(folder) / "old.db"
        if at:
            make_old_store(path, _SCHEMAS[at - 1])
        old = sa.create_engine(f"sqlite:///{path}")
        config = Config()
        config.set_main_option("script_location", _SCRIPTS)
        with old.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, schema)
        old.dispose()
        with closing(sqlite3.connect(path)) as raw:
            raw.executescript(_LATER_DATA[schema] if at else _DATA)
            if schema == "0003":
                add_row(raw, None, _T_MS + 20_000, "change", "directory", _CHANGE)
            if schema == "0006":
                add_row(raw, 3, _T_MS + 30_000, "lines", "command", _LINES)
            if schema == "0007":
                add_row(raw, 4, _T_MS + 40_000, "received", "command", '["phone-101","s.4","101","blind","104",null]')
        assert [file.name for file in path.parent.iterdir()] == ["old.db"]  # nothing is in a journal beside it
        return path.read_bytes()


def add_row(raw, entry, at_ms, stage, word, detail):
    """Add a row to the chain, by the format as it was written down: other code than today's has written such rows."""
    seq, last = raw.execute("SELECT seq, hash FROM journal_head").fetchone()
    seq += 1
    content = f"{seq}\n{entry or ''}\n{at_ms}\n{stage}\n{word}\n\n{detail}"
    digest = hashlib.sha256(last + content.encode()).digest()
    raw.execute(
        "INSERT INTO journal (seq, entry, at_ms, stage, word, detail, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (seq, entry, at_ms, stage, word, detail, digest),
    )
    raw.execute("UPDATE journal_head SET seq = ?, hash = ?", (seq, digest))
    raw.commit()


def open_old(path, schema):
    make_old_store(path, schema)
    upgrade_store(path)
    return open_store(path)


@pytest.fixture
def engine(tmp_path):
    """A store of the first schema with data, opened by the present code."""
    engine = open_old(tmp_path / "bridge.db", "0001")
    yield engine
    engine.dispose()


@pytest.fixture(params=_SCHEMAS)
def any_engine(request, tmp_path):
    """A store of each earlier schema, opened by the present code."""
    engine = open_old(tmp_path / "bridge.db", request.param)
    engine.schema = request.param
    yield engine
    engine.dispose()


def test_every_schema_is_tried_with_data_of_its_own():
    assert ["0001", *_LATER_DATA] == _SCHEMAS


def test_a_store_of_any_schema_keeps_what_it_has(any_engine):
    snapshot, schema = reading.read_snapshot(any_engine), any_engine.schema
    record = snapshot.terminals["phone-101"]
    assert (record.key, record.classes, record.user) == (b"\1\2", ("internal", "national"), "tech1")
    assert record.mosquitto_hash == (None if schema < "0002" else "the hash of mosquitto")
    assert record.allow_prefixes == (() if schema < "0004" else ("030", "0171"))
    assert snapshot.groups == ({} if schema < "0011" else {"phone-101": "Berlin, 2nd floor"})
    assert (snapshot.is_external_revoked, snapshot.external_since_ms) == ((False, 0) if schema < "0004" else (True, 7))
    proof = prove(any_engine)
    assert (proof.problem, proof.head.seq) == (None, 11 + (schema >= "0003") + (schema >= "0006") + (schema >= "0007"))
    assert find_change(any_engine, ("tech1",), 1 << 50)[1] == ("cli:anna" if schema < "0003" else "cli:carl")
    assert read_schema(any_engine) == (_SCHEMAS[-1], _SCHEMAS[-1])


def test_nobody_gains_or_loses_the_right_to_transfer(any_engine):
    record = reading.read_snapshot(any_engine).terminals["phone-101"]
    assert record.may_transfer
    assert not record.is_unconfirmed
    told = read_following(any_engine)
    assert (told.source, told.places[0].told_ms) == (("VoipNow", _T_MS) if any_engine.schema >= "0012" else ("", 0))


def test_every_line_of_any_schema_can_be_read_by_itself(any_engine):
    expected = [("received", "command"), ("check", "passed")]
    with any_engine.connect() as connection:
        query = sa.select(tables.lines).where(tables.lines.c.entry == 3)
        rows = connection.execute(query.order_by(tables.lines.c.seq, tables.lines.c.part)).all()
    if any_engine.schema >= "0006":
        expected += [("event", "done"), ("result", "done")]
        assert [(row.part, row.at_ms) for row in rows[2:]] == [(0, _T_MS + 30_000), (1, _T_MS + 30_001)]
        assert [(row.reason, row.detail) for row in rows[2:]] == [(None, None), (None, '{"more":[1]}')]
    assert [(row.stage, row.word) for row in rows] == expected
    assert result_of(find_nearest(any_engine, "101", _T_MS + 3000)) == (
        ("done", None) if any_engine.schema >= "0006" else (None, None)
    )


def test_the_commands_of_any_schema_are_found_by_their_extension_and_cannot_be_changed(any_engine):
    found = [find_nearest(any_engine, "101", _T_MS + 1000 * second).command.entry for second in (1, 2, 3, 40)]
    assert found == [1, 2, 3, 4 if any_engine.schema >= "0007" else 3]
    for verb in ("UPDATE commands SET number = '9'", "DELETE FROM commands"):
        with pytest.raises(sa.exc.IntegrityError, match="append-only"), any_engine.begin() as connection:
            connection.exec_driver_sql(verb)


def test_a_store_of_any_schema_can_be_worked_with(any_engine):
    Directory(any_engine, "test").set_prefixes("phone-101", ("040",), ())
    assert reading.read_snapshot(any_engine).terminals["phone-101"].allow_prefixes == ("040",)
    assert prove(any_engine).problem is None


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


def test_a_request_of_long_ago_is_not_carried_out(any_engine):
    assert read_waiting(any_engine) == []
    assert withdraw(any_engine, 7) is None


def test_the_old_tables_are_gone(engine):
    assert {"command_events", "changes"}.isdisjoint(sa.inspect(engine).get_table_names())


def test_the_newest_schema_by_name_is_the_one_that_alembic_goes_to(engine):
    newest = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    assert read_schema(engine) == (newest, newest)
    assert read_schema(sa.create_engine("sqlite://")) == (None, newest)


def test_a_store_that_is_up_to_date_is_opened_without_alembic(engine):
    path = engine.url.database
    code = (
        "import sys; from pathlib import Path; from phoneterm_bridge.store.database import open_store;"
        f" open_store(Path({path!r})).dispose(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
