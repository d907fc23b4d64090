"""Administrators' requests go from the command line through the store to the terminal: now or never."""

import asyncio

import pytest
import sqlalchemy as sa
import structlog
from phoneterm.core import messages
from phoneterm_bridge.cli import terminal_app
from phoneterm_bridge.cli.request import Patience
from phoneterm_bridge.store import requests, tables, wall_clock
from phoneterm_bridge.store.database import writing
from phoneterm_bridge.store.journal_reading import find_change, read_changes
from phoneterm_bridge.terminals.crash_reports import CrashReports
from typer.testing import CliRunner

TID = "phone-101"
SAFE = {"boot": "5afe", "fw": "1.0", "board": "VIRTUAL", "wire": [1, 1], "caps": [], "safe": "3 crashes"}
NOTHING = "Nothing is kept for later."


def ask(scene, *words, answer="", patience=None):
    """Start `phoneterm terminal ...` on the scene's store; the task returns its exit code and output."""

    def run():
        result = CliRunner().invoke(
            terminal_app, [*words, f"--set=store.path={scene.settings.store.path}"], answer, obj=patience
        )
        return result.exit_code, " ".join(result.output.split())

    return asyncio.create_task(asyncio.to_thread(run))


def said(scene):
    """Return all journalled requests: (what, who), the newest first."""
    return [(change.what, change.who.partition(":")[0]) for change in read_changes(scene.engine, TID, 9)][:-1]


def rows(scene):
    with scene.engine.connect() as connection:
        return connection.execute(tables.requests.select()).all()


def change_age(scene, by_ms):
    """Change the time of the requests in the store."""
    asked_ms = tables.requests.c.asked_ms
    with writing(scene.engine) as connection:
        connection.execute(tables.requests.update().values({asked_ms: asked_ms + by_ms}))


def leave_behind(scene, op, by_ms):
    """Put a request of another time into the store before the bridge can see it."""
    row = {"tid": TID, "op": op, "who": "cli:anna", "place": "host pc7", "asked_ms": wall_clock.now_ms() + by_ms}
    with writing(scene.engine) as connection:
        connection.execute(tables.requests.insert().values(**row))


async def request_of(terminal, make):
    """Return the only request that the terminal has received."""
    await make.until(lambda: terminal.heard(messages.REQUEST))
    (found,) = terminal.heard(messages.REQUEST)
    return found["boot"], found["op"]


@pytest.fixture(autouse=True)
def logged():
    """The log's events, which would otherwise be mixed with the command line's output."""
    with structlog.testing.capture_logs() as events:
        yield events


async def test_many_are_asked_at_once_and_those_that_are_away_or_do_not_go_are_named(scene, make):
    scene.directory.add_extension("102", "tech1")
    scene.directory.add_extension("103", "tech1")
    other = scene.directory.add_terminal("phone-102", "102")
    scene.directory.add_terminal("phone-103", "103")
    await scene.bridge.refresh()
    terminals = [await scene.terminal(), await scene.terminal(other)]
    for terminal in terminals:
        await terminal.hello()
    await make.until(lambda: all(scene.bridge.parts.sightings.find(tid).is_online for tid in (TID, "phone-102")))
    await scene.bridge.parts.sightings.keep()  # the command line finds in the store who is online
    bulk = ("bulk", "identify", "--all", "--yes")
    code, text = await ask(scene, *bulk)
    assert (code, text.endswith("2 of 2 terminals were told to identify.")) == (0, True)
    assert "Not affected: phone-103: it is not online, or in safe mode." in text
    assert [await request_of(one, make) for one in terminals] == [("b001", "identify")] * 2
    asking = ask(scene, "bulk", "reboot", "--all", "--yes", patience=Patience(going_s=4))
    await make.until(lambda: terminals[0].heard(messages.REQUEST)[-1]["op"] == "reboot")
    await terminals[0].send(messages.STATE, {"boot": "b001", "state": "offline"}, is_retained=True)
    code, text = await asking
    assert (code, "1 of 2 terminals were told to reboot." in text) == (1, True)
    assert "phone-102 was told to reboot, but has not gone within 4 s" in text


async def test_identify_reaches_the_terminal_for_this_start_of_it_and_is_journalled(any_scene, make, logged):
    terminal = await any_scene.terminal()
    await terminal.hello()
    assert await ask(any_scene, "identify", TID) == (0, f"{TID} was told to show itself.")
    assert await request_of(terminal, make) == ("b001", "identify")
    assert said(any_scene) == [("told to identify", "cli")]
    assert read_changes(any_scene.engine, TID, 1)[0].where.startswith("host ")
    assert rows(any_scene) == []
    assert ("identify", requests.SENT) in [(line.get("op"), line.get("answer")) for line in logged]


@pytest.mark.parametrize("ending", ["offline", "hello"])
async def test_a_reboot_is_said_to_be_done_once_the_terminal_has_gone(scene, terminal, make, ending):
    asking = ask(scene, "reboot", TID)
    assert await request_of(terminal, make) == ("b001", "reboot")
    assert not asking.done()
    if ending == "offline":
        await terminal.send(messages.STATE, {"boot": "b001", "state": "offline"})
    else:
        terminal.boot = "b002"
        await terminal.hello()
    assert await asking == (0, f"{TID} was told to reboot, and has gone; it is back in some seconds.")


async def test_a_terminal_that_does_not_go_is_told_of(scene, terminal):
    code, text = await ask(scene, "reboot", TID, patience=Patience(going_s=1))
    assert (code, text) == (1, f"{TID} was told to reboot, but has not gone within 1 s: is it still there?")
    assert len(terminal.heard(messages.REQUEST)) == 1


async def test_a_wipe_asks_first_and_says_what_it_means(scene, terminal, make):
    code, text = await ask(scene, "wipe", TID, answer="n\n")
    assert code == 1
    assert "provisions it again" in text
    assert terminal.heard(messages.REQUEST) == []
    asking = ask(scene, "wipe", TID, answer="y\n")
    assert await request_of(terminal, make) == ("b001", "wipe")
    await terminal.send(messages.STATE, {"boot": "b001", "state": "offline"})
    code, text = await asking
    assert code == 0
    assert "has gone" in text
    assert f"phoneterm terminal revoke {TID}" in text
    assert said(scene) == [("told to wipe", "cli")]


@pytest.mark.parametrize("words", [("identify",), ("reboot",), ("wipe",), ("wipe", "--yes")])
async def test_a_terminal_that_is_unknown_or_revoked_is_refused_in_one_sentence(scene, terminal, words):
    assert await ask(scene, *words, "nobody") == (1, "There is no terminal 'nobody'.")
    scene.directory.revoke_terminal(TID)
    sentence = f"The terminal {TID!r} was revoked: it does not listen to the bridge any more."
    assert await ask(scene, *words, TID) == (1, sentence)
    assert terminal.heard(messages.REQUEST) == []
    assert rows(scene) == []


async def test_a_terminal_that_is_away_is_not_told_later_either(scene, terminal):
    await terminal.send(messages.STATE, {"boot": "b001", "state": "offline"})
    assert await ask(scene, "wipe", TID, "--yes") == (1, f"{TID} was not told to wipe: it is not online. {NOTHING}")
    await terminal.hello()
    await scene.bridge.refresh()
    assert terminal.heard(messages.REQUEST) == []
    assert said(scene) == []


async def test_without_a_bridge_it_is_said_and_a_bridge_that_starts_then_sends_nothing(scene, terminal):
    await scene.bridge.stop()
    assert rows(scene) == []
    sentence = "no bridge has taken the request: is one running with this store"
    assert await ask(scene, "reboot", TID) == (1, f"{TID} was not told to reboot: {sentence}. {NOTHING}")
    await scene.start()
    terminal.wire = scene.link
    await terminal.hello()
    await scene.bridge.refresh()
    assert terminal.heard(messages.REQUEST) == []


async def test_a_request_that_was_left_behind_is_too_old_soon_and_goes_with_the_next(scene, terminal):
    leave_behind(scene, "wipe", -requests.LIFE_MS - 1)
    await scene.bridge.refresh()
    assert terminal.heard(messages.REQUEST) == []
    change_age(scene, -200_000)
    requests.ask(scene.engine, TID, "identify", "cli:anna", "host pc7")
    assert [row.op for row in rows(scene)] == ["identify"]


async def test_a_request_from_the_future_is_not_kept_until_then(scene, terminal):
    leave_behind(scene, "wipe", 60_000)
    await scene.bridge.refresh()
    requests.ask(scene.engine, TID, "identify", "cli:anna", "host pc7")
    assert [row.op for row in rows(scene)] == ["identify"]


async def test_a_request_that_waits_for_the_store_removes_none_that_was_stored_meanwhile(scene, terminal, make):
    with writing(scene.engine) as connection:
        asking = asyncio.create_task(
            asyncio.to_thread(requests.ask, scene.engine, TID, "identify", "cli:anna", "host pc7")
        )
        await make.until(lambda: scene.engine.pool.checkedout() == 2)  # it waits until it can write
        begun_ms = wall_clock.now_ms()
        await make.until(lambda: wall_clock.now_ms() > begun_ms)
        row = {"tid": TID, "op": "reboot", "who": "cli:otto", "place": "host pc8", "asked_ms": wall_clock.now_ms()}
        connection.execute(tables.requests.insert().values(**row))
    await asking
    await make.until(lambda: len(terminal.heard(messages.REQUEST)) == 2)
    assert [one["op"] for one in terminal.heard(messages.REQUEST)] == ["reboot", "identify"]


async def test_a_request_that_became_old_while_it_was_journalled_is_not_sent(scene, terminal):
    desk = scene.bridge.parts.requests

    def grow_old(connection, cursor, statement, *_):
        if statement.startswith("UPDATE state"):  # which is part of journalling
            desk.now_ms = lambda: wall_clock.now_ms() + requests.LIFE_MS + 1

    sa.event.listen(scene.bridge.parts.engine, "after_cursor_execute", grow_old)
    number = requests.ask(scene.engine, TID, "wipe", "cli:anna", "host pc7")
    await scene.bridge.refresh()
    assert requests.withdraw(scene.engine, number) == requests.EXPIRED
    assert terminal.heard(messages.REQUEST) == []
    assert said(scene) == [("told to wipe not sent after all: expired", "cli"), ("told to wipe", "cli")]


async def test_without_the_broker_nothing_is_sent_also_not_when_it_is_back(scene, terminal):
    scene.bridge.events.on_link(False)
    code, text = await ask(scene, "reboot", TID)
    assert (code, "the bridge is not connected to its broker" in text) == (1, True)
    scene.bridge.events.on_link(True)
    await scene.bridge.refresh()
    assert terminal.heard(messages.REQUEST) == []


async def test_a_request_is_sent_once_even_when_two_look_at_the_same_time(scene, terminal):
    for _ in range(5):
        requests.ask(scene.engine, TID, "identify", "cli:anna", "host pc7")
        await asyncio.gather(scene.bridge.refresh(), scene.bridge.refresh(), scene.bridge.refresh())
    found = terminal.heard(messages.REQUEST)
    assert len(found) == len({document["id"] for document in found}) == 5


async def test_who_withdraws_and_who_takes_a_request_cannot_both_have_it(scene):
    await scene.bridge.stop()
    number = requests.ask(scene.engine, TID, "wipe", "cli:anna", "host pc7")
    assert requests.withdraw(scene.engine, number) is None
    assert not requests.claim(scene.engine, number)
    number = requests.ask(scene.engine, TID, "wipe", "cli:anna", "host pc7")
    assert requests.claim(scene.engine, number)
    assert not requests.claim(scene.engine, number)
    assert requests.withdraw(scene.engine, number) == requests.TAKEN
    await scene.start()


async def test_a_number_is_never_used_again_so_that_no_answer_meets_another_request(scene):
    numbers = []
    for _ in range(3):
        numbers.append(requests.ask(scene.engine, TID, "identify", "cli:anna", "host pc7"))
        requests.withdraw(scene.engine, numbers[-1])
    assert len(set(numbers)) == 3


async def test_a_bridge_that_ends_half_way_leaves_it_unknown_and_does_not_send_it_again(scene, terminal):
    with writing(scene.engine) as connection:
        full = "CREATE TRIGGER full BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        connection.exec_driver_sql(full)
    code, text = await ask(scene, "wipe", TID, "--yes", patience=Patience(taken_s=0))
    assert (code, text.partition(" is not known")[0]) == (1, f"Whether {TID} was told to wipe")
    await scene.bridge.refresh()  # one that has taken it waits until it is through with it
    with writing(scene.engine) as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    await scene.bridge.refresh()
    assert terminal.heard(messages.REQUEST) == []


async def test_in_safe_mode_a_terminal_takes_a_reboot_and_a_wipe_for_that_start(scene, make):
    terminal = await scene.terminal()
    await terminal.send(messages.HELLO, SAFE)
    code, text = await ask(scene, "identify", TID)
    assert (code, "it is in safe mode, where it takes only reboot and wipe" in text) == (1, True)
    asking = ask(scene, "reboot", TID)
    assert await request_of(terminal, make) == ("5afe", "reboot")
    await terminal.send(messages.HELLO, SAFE | {"boot": "5aff"})
    assert (await asking)[0] == 0
    code, text = await ask(scene, "wipe", TID, "--yes")
    assert (code, "in safe mode, where it does not confirm it" in text) == (0, True)
    assert terminal.heard(messages.REQUEST)[-1]["boot"] == "5aff"


def test_a_terminal_in_safe_mode_that_fell_silent_is_away():
    now_s = 1000.0
    reports = CrashReports(lambda: now_s)
    assert reports.boot_in_safe_mode(TID) is None
    reports.add_hello(TID, SAFE | {"crash": None})
    now_s += 65
    assert reports.boot_in_safe_mode(TID) == "5afe"
    now_s += 1
    assert reports.boot_in_safe_mode(TID) is None


async def test_a_request_is_no_reason_why_somebody_may_not_transfer(scene):
    scene.directory.set_operation(TID, "blind", False)
    scene.directory.record_request(TID, "identify")
    assert read_changes(scene.engine, TID, 1)[0].what == "told to identify"
    assert find_change(scene.engine, (TID,), 1 << 50).what == "blind False"
