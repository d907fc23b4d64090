"""A store that cannot be written: nothing begins, whoever is on hold is released all the same, and the journal has it
as soon as it can."""

import json
from contextlib import nullcontext

import pytest
import sqlalchemy as sa
from attack_lab.scenery.fresh_store import open_store_with_terminal
from attack_lab.scenery.held_store import locking
from bridge.test_journal import asked, timeline
from bridge.test_pages import readiness, with_pages
from bridge.test_store_file import replace
from phoneterm.core import messages
from phoneterm_bridge.pbx.operations import all_operations
from phoneterm_bridge.store import tables
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.journal import Event, Journal
from phoneterm_bridge.store.journal_proof import prove
from phoneterm_bridge.store.reading import read_snapshot

IN_TRANSFER = [one.name for one in all_operations() if one.acts_on == "transfer"]
AT_CALL = [one.name for one in all_operations() if one.acts_on == "call"]


async def consult(scene, terminal, make):
    """Let the terminal's user talk to 102, with the caller on hold; return the command's id."""
    assert await terminal.ask("attended", "102") == ("accepted", None)
    scene.pbx.change_calls("101", make.talking("c1", state="consulting"))
    scene.pbx.listener.on_progress("c1", "consulting", None)
    await make.until(lambda: scene.bridge.parts.journal.queued == 0)
    return f"{terminal.session}.{terminal.sequence}"


def details(engine, stage):
    """Return the details of all lines of a stage."""
    lines = tables.lines.c
    with engine.connect() as connection:
        rows = connection.execute(sa.select(lines.detail).where(lines.stage == stage).order_by(lines.seq, lines.part))
        return [json.loads(detail) if detail else None for (detail,) in rows]


def test_two_kinds_of_operations_are_all_there_are():
    assert (set(IN_TRANSFER), set(AT_CALL)) == ({"complete", "cancel", "swap"}, {"blind", "attended"})


@pytest.mark.parametrize("op", IN_TRANSFER)
async def test_what_acts_on_a_transfer_is_carried_out_and_journalled_when_it_can_be(scene, terminal, make, op):
    await consult(scene, terminal, make)
    written = timeline(scene.engine)
    with locking(scene.settings.store.path):
        assert (await terminal.ask(op, None))[0] in ("accepted", "done")
        assert scene.pbx.asked[-1] == (op, "c1")
        scene.pbx.listener.on_progress("c1", "returned", "cancelled")
        await make.until(lambda: terminal.results(f"{terminal.session}.1")[-1] == ("returned", "cancelled"))
        assert timeline(scene.engine) == written
    await make.until(lambda: scene.bridge.parts.journal.queued == 0)
    found = timeline(scene.engine)
    of_transfer = [*written, ("event", "returned", "cancelled"), ("result", "returned", "cancelled")]
    assert found[: len(of_transfer)] == of_transfer
    assert found[len(of_transfer) :][:2] == [("check", "passed", None), ("action", op, None)]
    assert details(scene.engine, "action") == [None, {"journalled": "later"}]
    assert prove(scene.engine).problem is None
    assert len(scene.pbx.asked) == 2


@pytest.mark.parametrize("op", AT_CALL)
async def test_what_begins_a_transfer_is_refused_and_is_never_done_later(scene, terminal, make, op):
    with locking(scene.settings.store.path):
        assert await terminal.ask(op, "102") == ("rejected", "unavailable")
    assert await terminal.ask("blind", "103") == ("accepted", None)  # once it can be journalled
    assert [asked[0] for asked in scene.pbx.asked] == ["blind"]
    assert numbers(scene.engine) == ["103"]


def numbers(engine):
    with engine.connect() as connection:
        return connection.execute(sa.select(tables.commands.c.number)).scalars().all()


async def test_a_command_that_comes_again_meanwhile_is_not_done_again(scene, terminal, make):
    await consult(scene, terminal, make)
    fields = terminal.command("swap", None)
    with locking(scene.settings.store.path):
        for count in (1, 2):
            await terminal.send(messages.COMMAND, fields)
            await make.until(lambda count=count: len(terminal.results(fields["id"])) == count)
        assert terminal.results(fields["id"]) == [("done", None)] * 2
    await make.until(lambda: scene.bridge.parts.journal.queued == 0)
    assert [asked[0] for asked in scene.pbx.asked] == ["attended", "swap"]


async def test_a_bridge_that_is_stopped_meanwhile_says_what_is_lost_and_does_nothing_twice(tmp_path, make, capfd):
    scene = await make.Scene(tmp_path).start()
    terminal = await scene.terminal()
    await terminal.hello()
    consultation = await consult(scene, terminal, make)
    fields = terminal.command("cancel", None)
    with locking(scene.settings.store.path):
        await terminal.send(messages.COMMAND, fields)
        await make.until(lambda: terminal.results(fields["id"]))
        scene.pbx.listener.on_progress("c1", "returned", "cancelled")
        await scene.bridge.stop()
    said = capfd.readouterr().out
    assert "carried-out-before-journalled" in said and "journal-lines-lost" in said and "is locked" in said
    scene.engine = open_store(scene.settings.store.path)
    await scene.start()
    assert timeline(scene.engine)[-1] == ("result", "unknown", None)  # of the consultation; of cancel there is nothing
    terminal.wire = scene.link
    await terminal.send(messages.COMMAND, fields)
    assert terminal.results(fields["id"]) == [("rejected", "bad-session")]
    assert scene.pbx.asked == []
    await terminal.send(messages.COMMAND, terminal.command("attended", "102", id=consultation))
    assert terminal.results(consultation) == [("unknown", None)]
    assert prove(scene.engine).problem is None
    await scene.stop()


async def test_a_store_whose_file_was_replaced_does_not_keep_a_caller_on_hold(scene, terminal, make):
    await consult(scene, terminal, make)
    replace(scene.settings.store.path)
    assert await terminal.ask("cancel", None) == ("accepted", None)
    scene.pbx.listener.on_progress("c1", "returned", "cancelled")
    scene.pbx.change_calls("101", make.talking("c1"))
    assert await terminal.ask("blind", "102") == ("rejected", "unavailable")
    assert [asked[0] for asked in scene.pbx.asked] == ["attended", "cancel"]


async def test_readiness_names_the_thing_and_the_remedy_until_it_is_over_without_any_command(tmp_path, make):
    site = await with_pages(make.Scene(tmp_path)).start()
    terminal = await site.terminal()
    await terminal.hello()
    path = site.settings.store.path
    with locking(path):
        assert await terminal.ask("blind", "102") == ("rejected", "unavailable")
        assert (await readiness(site))[1]["missing"]["store"] == (
            f"The store {path} is locked: another program has been writing to it for 4 s; try again, and if it stays "
            f"so, find that program (fuser {path}). Until then no transfer begins; those under way can be completed "
            "and cancelled."
        )
    await make.until(lambda: "store" not in site.bridge.parts.health.missing())
    await site.stop()


@pytest.fixture
def engine(tmp_path):
    engine, _ = open_store_with_terminal(tmp_path / "bridge.db")
    yield engine
    engine.dispose()


@pytest.mark.parametrize("is_locked", [False, True])
async def test_a_journal_has_the_same_lines_in_the_same_order_whether_or_not_it_had_to_keep_them(engine, is_locked):
    terminal = read_snapshot(engine).terminals["phone-101"]
    journal = Journal(engine)
    await journal.start()
    consultation = await journal.open(terminal, asked("s.1"), [Event("check", "passed")])
    with locking(engine.url.database) if is_locked else nullcontext():
        journal.append(consultation, Event("result", "consulting"))
        cancel = await journal.open(terminal, asked("s.2"), [Event("check", "passed")], is_urgent=True)
        assert cancel.is_on_disk is not is_locked
        for recorded, word in ((cancel, "accepted"), (consultation, "returned"), (cancel, "done")):
            journal.append(recorded, Event("result", word))
    assert (await journal.look_up(terminal, "s.2")).state == "done"
    await journal.stop()
    words = [["consulting", "returned"], ["accepted", "done"]]
    lines = [[("check", "passed", None), *(("result", word, None) for word in some)] for some in words]
    assert timeline(engine) == [*lines[0], *lines[1]]
    assert prove(engine).problem is None
    with engine.connect() as connection:
        assert connection.execute(sa.select(tables.open_commands)).all() == []


async def test_no_more_is_kept_than_a_limit_and_what_is_beyond_it_is_in_the_log(engine, make, capfd):
    terminal = read_snapshot(engine).terminals["phone-101"]
    troubles = []
    journal = Journal(engine, on_trouble=troubles.append, most_kept=5)
    await journal.start()
    recorded = await journal.open(terminal, asked("s.1"), [])
    with locking(engine.url.database):
        journal.append(recorded, Event("event", "ringing"))
        with pytest.raises(Exception, match="locked"):
            await journal.open(terminal, asked("s.2"), [])
        for _ in range(10):
            journal.append(recorded, Event("event", "ringing"))
        assert journal.queued == 5
    assert capfd.readouterr().out.count("journal-not-written") == 7
    await make.until(lambda: troubles[-1] is None)
    await journal.stop()
    assert timeline(engine) == [("event", "ringing", None)] * 4
