"""What phones refuse by themselves: in the journal once, at its time, and `why` tells it, or that it cannot know."""

import time
from datetime import datetime, timedelta

import structlog
from phoneterm.core import messages
from phoneterm_bridge.cli.why import answer_why
from phoneterm_bridge.store.journal_proof import prove
from phoneterm_bridge.wording.why import PHONE_REASONS, REASONS

_HELLO = {"boot": "b001", "fw": "1.0", "board": "VIRTUAL", "wire": [1, 1], "caps": ["blind", "attended", "refusals"]}


def report(count, reason, op=None, ago_s=1, boot="b001"):
    return {"boot": boot, "count": count, "ago_s": ago_s, "reason": reason, "op": op}


async def greet(terminal, boot="b001", caps=_HELLO["caps"]):
    """Say hello and wait for the session."""
    before = len(terminal.heard(messages.SESSION))
    await terminal.send(messages.HELLO, _HELLO | {"boot": boot, "caps": caps})
    assert len(terminal.heard(messages.SESSION)) == before + 1
    terminal.session, terminal.session_s = terminal.heard(messages.SESSION)[-1]["session"], time.monotonic()


async def seen(scene):
    """Return the sentence that `why 101` says now, once the bridge has kept what it saw."""
    await scene.bridge.refresh()
    return answer_why(scene.engine, "101", None)


async def test_a_refusal_after_a_transfer_that_worked_is_what_why_tells(scene, make):
    terminal = await scene.terminal()
    await greet(terminal)
    await terminal.ask("blind", "102")
    await make.until(lambda: answer_why(scene.engine, "101", None)["command"])
    await terminal.send(messages.REFUSAL, report(1, "permission", "attended", ago_s=0))
    answer = await seen(scene)
    said = " 101 keyed *2. The phone itself refused it, because this phone was not allowed to do that."
    assert said in answer["sentence"]
    assert (answer["command"]["state"], answer["command"]["reason"]) == ("refused", "permission")
    assert answer["not_known"] is None
    assert prove(scene.engine).problem is None


async def test_a_refusal_is_at_its_own_time_even_if_it_is_told_an_hour_later(scene):
    terminal = await scene.terminal()
    await greet(terminal)
    await terminal.ask("blind", "102")
    await terminal.send(messages.REFUSAL, report(1, "no-link", "blind", ago_s=3600))
    then = datetime.now() - timedelta(hours=1)
    found = answer_why(scene.engine, "101", then, "blind")
    assert abs(found["command"]["received_ms"] / 1000 - then.timestamp()) < 60
    assert "because the phone had no connection to the bridge, or the bridge none to the PBX." in found["sentence"]
    assert (await seen(scene))["command"]["state"] != "refused"


async def test_a_refusal_that_is_repeated_is_journalled_once_also_by_the_next_bridge(scene, make):
    terminal = await scene.terminal()
    await greet(terminal)
    for _ in range(3):
        await terminal.send(messages.REFUSAL, report(2, "no-such-code"))
    await scene.bridge.stop()
    scene.pbx, scene.link = make.FakePbx(), make.MemoryLink()
    from phoneterm_bridge.service import Bridge

    scene.bridge = Bridge(scene.settings, scene.pbx, scene.link, scene.timing)
    await scene.bridge.start()
    terminal.wire = scene.link
    await greet(terminal)
    await terminal.send(messages.REFUSAL, report(2, "no-such-code"))
    await terminal.send(messages.REFUSAL, report(1, "no-link", boot="b000"))  # of a start that is over
    with scene.engine.connect() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM commands").scalar_one()
    assert count == 1
    assert "Before that it refused 1 more, of which nothing else is known." in (await seen(scene))["sentence"]


async def test_a_start_of_the_terminal_counts_from_one_again(scene):
    terminal = await scene.terminal()
    await greet(terminal)
    await terminal.send(messages.REFUSAL, report(7, "wrong-key", "blind"))
    await greet(terminal, "b002")
    await terminal.send(messages.REFUSAL, report(1, "too-slow", "blind", boot="b002"))
    assert "because it was keyed too slowly." in (await seen(scene))["sentence"]


async def test_a_false_or_unsigned_report_is_refused(scene):
    terminal = await scene.terminal()
    await greet(terminal)
    with structlog.testing.capture_logs() as logged:
        await terminal.send(messages.REFUSAL, report(1, "permission"), key=b"another key")
    assert [line["reason"] for line in logged if line["event"] == "message-refused"] == ["bad-signature"]
    assert answer_why(scene.engine, "101", None)["command"] is None


async def test_why_says_what_it_cannot_know(scene):
    terminal = await scene.terminal()
    assert "the bridge has not seen phone-101 yet." in (await seen(scene))["sentence"]
    await greet(terminal, caps=["blind"])
    assert "cannot be known: its firmware (1.0) does not report it." in (await seen(scene))["not_known"]
    await greet(terminal)
    assert (await seen(scene))["not_known"] is None
    await terminal.send(messages.STATE, {"boot": "b001", "state": "offline"}, is_retained=True)
    answer = await seen(scene)
    assert answer["not_known"].endswith("cannot be known yet: it is offline, and reports it when it is back.")
    assert answer["sentence"].endswith(answer["not_known"])
    before = datetime.now() - timedelta(hours=2)
    assert answer_why(scene.engine, "101", before)["not_known"] is None  # it was there then
    assert answer_why(scene.engine, "101", None, None, False)["not_known"].endswith("no bridge is running.")


async def test_what_the_phone_got_no_answer_to_is_told_by_the_bridge_if_it_has_come(scene, make):
    terminal = await scene.terminal()
    await greet(terminal)
    await terminal.send(messages.REFUSAL, report(1, "not-confirmed", "blind", ago_s=0))
    answer = await seen(scene)
    assert answer["sentence"].endswith(" not known: the phone sent it and does not know whether it arrived.")
    await terminal.ask("blind", "102")
    await terminal.send(messages.REFUSAL, report(2, "no-confirmation", "blind", ago_s=0))
    assert (await seen(scene))["command"]["number"] == "102"


def test_there_are_words_for_everything_that_a_phone_refuses():
    """The reasons are those in the contract, and the firmware has no others."""
    from pathlib import Path

    import yaml
    from phoneterm_bridge.wording import why

    document = yaml.safe_load((Path(__file__).parents[2] / "firmware" / "asyncapi.yaml").read_text())
    fields = document["components"]["messages"]["up/refusal"]["payload"]["properties"]
    assert set(fields["reason"]["examples"]) == {*PHONE_REASONS, *why._UNCONFIRMED}
    assert not set(PHONE_REASONS) & set(REASONS)
