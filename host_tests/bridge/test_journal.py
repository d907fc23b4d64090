"""The journal: durable before the action, append-only, and true after a crash."""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from attack_lab.scenery.fresh_store import open_store_with_terminal
from phoneterm.core import messages
from phoneterm_bridge.store import tables
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.journal import Event, Journal
from phoneterm_bridge.store.journal_proof import prove
from phoneterm_bridge.store.journal_reading import find_nearest
from phoneterm_bridge.store.reading import read_snapshot

A_MOMENT_MS = 1_800_000_000_000


@pytest.fixture
def engine(tmp_path):
    """A store with the terminal phone-101."""
    engine, _ = open_store_with_terminal(tmp_path / "bridge.db")
    yield engine
    engine.dispose()


@pytest.fixture
def terminal(engine):
    """The record of phone-101."""
    return read_snapshot(engine).terminals["phone-101"]


def asked(command_id, number="102"):
    return {"id": command_id, "op": "blind", "number": number, "call": "c1"}


def timeline(engine, tid="phone-101"):
    """Return (stage, word, reason) of all commands of a terminal, in order, without the lines about reception."""
    lines = tables.lines.c
    query = sa.select(lines.stage, lines.word, lines.reason).select_from(tables.lines.join(tables.commands))
    query = query.where(tables.commands.c.tid == tid, lines.stage.not_in(("keyed", "received")))
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(lines.entry, lines.seq, lines.part))]


async def test_a_command_is_on_the_disk_when_open_returns(engine, terminal):
    journal = Journal(engine)
    await journal.start()
    await journal.open(terminal, asked("s.1"), [Event("check", "passed")])
    assert timeline(engine) == [("check", "passed", None)]
    await journal.stop()


async def test_what_is_written_together_of_a_command_is_one_row_and_all_its_lines_can_be_read(engine, terminal):
    journal = Journal(engine)
    await journal.start()
    keyed = Event("keyed", "keys", None, {"took_ms": 900}, A_MOMENT_MS)
    recorded = await journal.open(terminal, asked("s.1"), [keyed, Event("check", "passed", None, [["rate", "ok", 0]])])
    for event in (Event("action", "blind"), Event("result", "accepted"), Event("result", "failed", "busy")):
        journal.append(recorded, event)
    assert (await journal.look_up(terminal, "s.1")).reason == "busy"  # a reader sees everything that was appended
    await journal.stop()
    with engine.connect() as connection:
        rows = connection.execute(sa.select(tables.journal).where(tables.journal.c.entry.is_not(None))).all()
        lines = connection.execute(sa.select(tables.lines).where(tables.lines.c.entry.is_not(None))).all()
    assert [row.stage for row in rows] == ["lines", "lines"]
    assert [(line.stage, line.word, line.reason) for line in lines] == [
        ("received", "command", None),
        ("keyed", "keys", None),
        ("check", "passed", None),
        ("action", "blind", None),
        ("result", "accepted", None),
        ("result", "failed", "busy"),
    ]
    assert (lines[1].at_ms, lines[1].detail, lines[2].detail) == (A_MOMENT_MS, '{"took_ms":900}', '[["rate","ok",0]]')
    assert prove(engine).problem is None


async def test_the_first_of_two_commands_with_one_id_is_looked_up(engine, terminal):
    journal = Journal(engine)
    await journal.start()
    for number in ("102", "103"):
        await journal.open(terminal, asked("s.1", number), [])
    assert (await journal.look_up(terminal, "s.1")).number == "102"
    assert await journal.look_up(terminal, "s.2") is None
    await journal.stop()


async def test_a_command_is_found_for_an_hour_wherever_it_is(engine, terminal):
    now_ms = time.time_ns() // 1_000_000
    journal = Journal(engine)
    await journal.start()
    for index, minutes in enumerate((50, 70)):
        await journal.open(terminal, asked(f"s.{index}"), [], now_ms - minutes * 60_000)
    await journal.stop()
    again = Journal(engine)
    await again.start()  # which brings the index up to date
    assert (await again.look_up(terminal, "s.0")).op == "blind"
    assert await again.look_up(terminal, "s.1") is None
    await again.stop()


async def test_every_command_is_found_by_its_extension_before_and_after_it_is_in_the_index(engine, terminal):
    journal = Journal(engine)
    await journal.start()
    times_ms = [A_MOMENT_MS + 1000 * index for index in range(3)]
    for at_ms in times_ms:
        await journal.open(terminal, asked("s.1"), [], at_ms)
    assert [find_nearest(engine, "101", at_ms).command.received_ms for at_ms in times_ms] == times_ms
    assert read_index(engine) == []
    await asyncio.gather(*(journal.open(terminal, asked("s.1"), [], A_MOMENT_MS + 5000) for _ in range(2048)))
    await journal.look_up(terminal, "s.1")  # everything queued before is written
    assert len(read_index(engine)) == 2051
    late_ms = A_MOMENT_MS + 1500  # it was received before those, but decided later
    await journal.open(terminal, asked("s.2"), [], late_ms)
    assert find_nearest(engine, "101", late_ms).command.command_id == "s.2"
    assert len(read_index(engine)) == 2052
    await journal.stop()
    assert prove(engine).problem is None


def read_index(engine):
    with engine.connect() as connection:
        return connection.execute(sa.select(tables.commands_by_extension)).all()


async def test_no_two_commands_of_one_millisecond_have_the_same_entry(engine, terminal):
    journal = Journal(engine)
    await journal.start()
    opened = await asyncio.gather(
        *(journal.open(terminal, asked(f"s.{at}"), [], 1_800_000_000_000) for at in range(8000))
    )
    assert len({recorded.entry for recorded in opened}) == 8000
    await journal.stop()


@pytest.mark.parametrize("verb", ["UPDATE commands SET number = '9'", "DELETE FROM journal"])
async def test_nothing_in_the_journal_can_be_changed_or_removed(engine, terminal, verb):
    journal = Journal(engine)
    await journal.start()
    await journal.open(terminal, asked("s.1"), [Event("check", "passed")])
    await journal.stop()
    with pytest.raises(sa.exc.IntegrityError, match="append-only"), engine.begin() as connection:
        connection.exec_driver_sql(verb)


async def test_a_write_that_fails_fails_alone(engine, terminal):
    journal = Journal(engine)
    await journal.start()
    good = [journal.open(terminal, asked(f"s.{index}"), []) for index in range(3)]
    bad = journal.open(terminal, asked(["not a text"]), [])
    results = await asyncio.gather(*good[:2], bad, good[2], return_exceptions=True)
    assert [isinstance(result, Exception) for result in results] == [False, False, True, False]
    await journal.stop()


async def test_a_command_that_cannot_be_journalled_is_not_done(scene):
    terminal = await scene.terminal()
    await terminal.hello()
    with scene.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE open_commands")
    assert await terminal.ask() == ("rejected", "unavailable")
    assert scene.pbx.asked == []


async def test_a_result_that_is_out_of_date_before_it_is_told_is_journalled_all_the_same(scene, make):
    terminal = await scene.terminal()
    await terminal.hello()
    await terminal.ask("attended", "102")
    scene.bridge.parts.deciding.add(("phone-102", "s.1"))  # another command is on its way to the PBX
    for state in ("ringing", "consulting"):
        scene.pbx.listener.on_progress("c1", state, None)
    command = f"{terminal.session}.1"
    assert terminal.results(command) == [("accepted", None)]
    scene.bridge.parts.deciding.clear()
    await make.until(lambda: len(terminal.results(command)) > 1)
    assert terminal.results(command) == [("accepted", None), ("consulting", None)]
    expected = ["accepted", "ringing", "consulting"]
    await make.until(lambda: [word for stage, word, _ in timeline(scene.engine) if stage == "result"] == expected)


async def test_the_timeline_tells_a_command_from_check_to_result(scene, make):
    terminal = await scene.terminal()
    await terminal.hello()
    await terminal.ask("attended", "102")
    for state in ("ringing", "done"):
        scene.pbx.listener.on_progress("c1", state, None)
    await terminal.ask("blind", "199")
    expected = [
        ("check", "passed", None),
        ("action", "attended", None),
        ("result", "accepted", None),
        ("event", "ringing", None),
        ("result", "ringing", None),
        ("event", "done", None),
        ("result", "done", None),
        ("check", "refused", "unknown-number"),
        ("result", "rejected", "unknown-number"),
    ]
    await make.until(lambda: timeline(scene.engine) == expected)


async def test_a_wrong_signature_is_journalled_without_its_id(scene):
    terminal = await scene.terminal()
    await terminal.hello()
    await terminal.send(messages.COMMAND, terminal.command(), key=b"another key")
    assert timeline(scene.engine) == [("check", "refused", "bad-signature"), ("result", "rejected", "bad-signature")]
    with scene.engine.connect() as connection:
        assert connection.execute(sa.select(tables.commands.c.command_id)).scalars().all() == [None]


@pytest.mark.parametrize("step", ["before-action", "in-action"])
def test_a_command_cut_off_by_kill_9_is_unknown_at_the_next_start(tmp_path, step):
    child = Path(__file__).with_name("crashing_bridge.py")
    run = subprocess.run(
        [sys.executable, str(child), str(tmp_path), step], stdout=subprocess.PIPE, timeout=60, check=False
    )
    assert run.returncode == -signal.SIGKILL
    command_id = run.stdout.decode().split()[-1]
    engine = open_store(tmp_path / "bridge.db")

    async def look():
        journal = Journal(engine)
        assert await journal.start() == 1
        found = await journal.look_up(read_snapshot(engine).terminals["phone-101"], command_id)
        await journal.stop()
        return found.state

    assert asyncio.run(look()) == "unknown"
    assert timeline(engine)[-1] == ("result", "unknown", None)
    engine.dispose()


async def test_hundreds_of_commands_at_once_are_all_written_in_one_whole_chain(engine, terminal):
    journal = Journal(engine)
    await journal.start()
    opened = await asyncio.gather(*(journal.open(terminal, asked(f"s.{index}"), []) for index in range(333)))
    for recorded in opened:
        journal.append(recorded, Event("result", "done"))
    await journal.stop()
    assert prove(engine).problem is None
    with engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(tables.commands)).scalar_one() == 333
        assert connection.execute(sa.select(tables.open_commands)).all() == []


async def test_a_line_that_nobody_waits_for_is_written_soon(engine, terminal, make):
    journal = Journal(engine)
    await journal.start()
    recorded = await journal.open(terminal, asked("s.1"), [])
    journal.append(recorded, Event("result", "done"))
    await make.until(lambda: timeline(engine) == [("result", "done", None)])
    await journal.stop()


async def test_a_line_that_is_lost_is_an_error_in_the_log_and_the_next_one_is_written(engine, terminal, make, capfd):
    journal = Journal(engine)
    await journal.start()
    recorded = await journal.open(terminal, asked("s.1"), [])
    journal.append(recorded, Event("event", "ringing", None, object()))
    journal.append(recorded, Event("result", "done"))
    await make.until(lambda: timeline(engine) == [("result", "done", None)])
    await make.until(lambda: "journal-not-written" in capfd.readouterr().out)
    await journal.stop()
