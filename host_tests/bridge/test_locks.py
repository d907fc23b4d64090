"""Never late, never twice: each lock of the wire contract, without asking the PBX."""

import time

import pytest
from bridge.conftest import refused
from phoneterm.core import messages

# Lock 2: retained commands and backlog.


async def test_a_retained_command_is_dropped(scene, terminal):
    await terminal.send(messages.COMMAND, terminal.command(), is_retained=True)
    assert scene.pbx.asked == []
    assert terminal.heard(messages.RESULT) == []


# Lock 3: sessions.


async def test_a_command_of_an_older_session_is_refused(scene, terminal):
    old = terminal.command()
    await terminal.hello()
    await terminal.send(messages.COMMAND, old)
    assert terminal.results(old["id"]) == [("rejected", "bad-session")]
    assert scene.pbx.asked == []


async def test_a_command_without_any_session_is_refused(scene):
    terminal = await scene.terminal()
    assert await refused(scene, terminal, id="0123456789.1") == "bad-session"


async def test_a_session_dies_with_the_offline_state_of_its_boot(scene, terminal):
    await terminal.send(messages.STATE, {"boot": terminal.boot, "state": "offline"})
    assert await refused(scene, terminal) == "bad-session"


async def test_a_late_will_of_an_old_boot_is_ignored(scene, terminal):
    await terminal.send(messages.STATE, {"boot": "01d", "state": "offline"}, is_retained=True)
    assert await terminal.ask() == ("accepted", None)


async def test_a_session_dies_with_the_bridge(tmp_path, make):
    scene = await make.Scene(tmp_path).start()
    terminal = await scene.terminal()
    await terminal.hello()
    old = terminal.command()
    await scene.bridge.stop()
    await scene.start()
    terminal.wire = scene.link
    await terminal.send(messages.COMMAND, old)
    assert terminal.results(old["id"]) == [("rejected", "bad-session")]
    await scene.stop()


@pytest.mark.parametrize("command_id", ["nonsense", "{session}", "{session}.", "{session}.x", "{session}.1.2", ".1"])
async def test_an_id_that_is_not_of_the_session_is_refused(scene, terminal, command_id):
    assert await refused(scene, terminal, id=command_id.format(session=terminal.session)) == "bad-session"


# Lock 4: age.


async def test_a_command_older_than_its_time_to_live_is_stale(tmp_path, make):
    scene = await make.Scene(tmp_path, ttl_ms=100).start()
    terminal = await scene.terminal()
    await terminal.hello()
    fields = terminal.command()
    keyed_s = time.monotonic()
    await make.until(lambda: time.monotonic() > keyed_s + 0.15)
    await terminal.send(messages.COMMAND, fields)
    assert terminal.results(fields["id"]) == [("rejected", "stale")]
    assert scene.pbx.asked == []
    await scene.stop()


async def test_a_command_from_the_future_is_stale(scene, terminal):
    now_ms = terminal.command()["since_ms"]
    assert await refused(scene, terminal, since_ms=now_ms + 3000) == "stale"


async def test_a_first_key_after_the_last_one_is_stale(scene, terminal):
    fields = terminal.command()
    assert await refused(scene, terminal, first_ms=fields["since_ms"] + 500) == "stale"


async def test_a_command_that_grows_old_while_it_is_checked_is_stale(tmp_path, make):
    scene = await make.Scene(tmp_path, ttl_ms=200).start()
    terminal = await scene.terminal()
    await terminal.hello()
    asked_s = time.monotonic()

    async def answer_slowly(context, number):
        await make.until(lambda: time.monotonic() > asked_s + 0.3)
        return True

    scene.pbx.is_known_number = answer_slowly
    assert await refused(scene, terminal) == "stale"
    await scene.stop()


async def test_a_permission_taken_away_while_a_command_is_checked_counts(scene, terminal, make):
    async def answer_after_denial(context, number):
        scene.directory.set_multi_user_aware("tech1", False)
        await make.until(lambda: terminal.heard(messages.PERMISSIONS)[-1]["multi_user_aware"] is False)
        return True

    scene.pbx.is_known_number = answer_after_denial
    assert await refused(scene, terminal) == "permission"


# Lock 5: once.


async def test_a_second_delivery_gets_the_recorded_result(any_scene, make):
    terminal = await any_scene.terminal()
    await terminal.hello()
    fields = terminal.command()
    payload = terminal.encode(messages.COMMAND, fields)
    for count in (1, 2):
        await terminal.wire.send(terminal.topic(messages.COMMAND), payload)
        await make.until(lambda count=count: len(terminal.results(fields["id"])) == count)
    any_scene.pbx.listener.on_progress("c1", "done", None)
    await make.until(lambda: terminal.results(fields["id"])[-1] == ("done", None))
    await terminal.wire.send(terminal.topic(messages.COMMAND), payload)
    await make.until(lambda: terminal.results(fields["id"])[-2:] == [("done", None)] * 2)
    assert len(any_scene.pbx.asked) == 1


async def test_many_deliveries_at_once_are_one_transfer(any_scene, make):
    terminal = await any_scene.terminal()
    await terminal.hello()
    fields = terminal.command()
    payload = terminal.encode(messages.COMMAND, fields)
    for _ in range(20):
        await terminal.wire.send(terminal.topic(messages.COMMAND), payload)
    await make.until(lambda: terminal.results(fields["id"]))
    assert set(terminal.results(fields["id"])) == {("accepted", None)}
    assert len(any_scene.pbx.asked) == 1


async def test_a_command_is_known_after_more_others_than_are_remembered(scene, terminal, make):
    first = terminal.command()
    await terminal.send(messages.COMMAND, first)
    await make.until(lambda: terminal.results(first["id"]) == [("accepted", None)])
    scene.pbx.listener.on_progress("c1", "failed", "busy")
    for number in range(40):  # of other sessions, which are refused and journalled all the same
        await terminal.ask(id=f"0123456789.{number}")
    await terminal.send(messages.COMMAND, first)
    await make.until(lambda: len(terminal.results(first["id"])) == 3)
    assert terminal.results(first["id"])[1:] == [("failed", "busy")] * 2
    assert len(scene.pbx.asked) == 1


async def test_a_command_that_could_not_be_journalled_is_not_done_when_it_comes_again(scene, terminal):
    fields = terminal.command()
    write, scene.bridge.parts.journal.open = scene.bridge.parts.journal.open, None  # not to be called
    await terminal.send(messages.COMMAND, fields)
    scene.bridge.parts.journal.open = write
    await terminal.send(messages.COMMAND, fields)
    assert terminal.results(fields["id"]) == [("rejected", "unavailable"), ("rejected", "duplicate")]
    assert scene.pbx.asked == []


async def test_a_used_id_with_another_content_is_a_duplicate(scene, terminal):
    first = terminal.command()
    await terminal.send(messages.COMMAND, first)
    await terminal.send(messages.COMMAND, first | {"number": "103"})
    assert terminal.results(first["id"])[-1] == ("rejected", "duplicate")
    assert [asked[3] for asked in scene.pbx.asked] in ([], ["102"])


async def test_a_repeated_command_of_an_earlier_run_gets_its_recorded_result(tmp_path, make):
    scene = await make.Scene(tmp_path).start()
    terminal = await scene.terminal()
    await terminal.hello()
    fields = terminal.command()
    await terminal.send(messages.COMMAND, fields)
    await make.until(lambda: terminal.results(fields["id"]))
    await scene.bridge.stop()
    await scene.start()
    terminal.wire = scene.link
    await terminal.send(messages.COMMAND, fields)
    assert terminal.results(fields["id"]) == [("unknown", None)]
    assert scene.pbx.asked == []
    await scene.stop()


# Lock 6: the call that was meant.


async def test_a_call_that_came_after_the_first_key_is_not_touched(scene, terminal, make):
    fields = terminal.command(call=None)
    scene.pbx.change_calls("101", make.talking("c2", since_s=time.monotonic() + 0.01))
    await terminal.send(messages.COMMAND, fields)
    assert terminal.results(fields["id"]) == [("rejected", "no-call")]
    assert scene.pbx.asked == []


async def test_the_next_call_is_not_touched_when_the_reference_is_of_the_last(scene, terminal, make):
    scene.pbx.change_calls("101", make.talking("c2"))
    assert await refused(scene, terminal, call="c1") == "no-call"


async def test_without_a_reference_the_call_that_was_up_is_taken(scene, terminal):
    assert await terminal.ask(call=None) == ("accepted", None)
    assert scene.pbx.asked[0][1] == "c1"


# Authentic.


async def test_a_wrong_signature_is_not_answered_and_the_pbx_is_not_asked(scene, terminal):
    fields = terminal.command()
    await terminal.send(messages.COMMAND, fields, key=b"another key")
    assert terminal.results(fields["id"]) == []
    assert scene.pbx.asked == []
    assert await terminal.ask(id=fields["id"]) == ("accepted", None)
