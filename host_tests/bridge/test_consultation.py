"""Complete, cancel and swap: how they end, and what becomes of the command whose transfer they act on."""

import pytest
from phoneterm.core import messages
from phoneterm_bridge.pbx.port import Outcome


@pytest.mark.parametrize(
    ("op", "progress", "transfer_ends"),
    [
        ("complete", ("done", None), ("done", None)),
        ("cancel", ("returned", "cancelled"), ("returned", "cancelled")),
    ],
)
async def test_an_operation_on_a_consultation_ends_with_it(scene, terminal, make, op, progress, transfer_ends):
    await terminal.ask("attended", "102")
    scene.pbx.change_calls("101", make.talking("c1", state="consulting"))
    assert await terminal.ask(op, None) == ("accepted", None)
    scene.pbx.listener.on_progress("c1", *progress)
    assert terminal.results(f"{terminal.session}.2")[-1] == ("done", None)
    assert terminal.results(f"{terminal.session}.1")[-1] == transfer_ends


@pytest.mark.parametrize("op", ["cancel", "swap"])
async def test_what_came_too_late_for_a_transfer_that_is_done_has_failed(scene, terminal, make, op):
    await terminal.ask("attended", "102")
    scene.pbx.change_calls("101", make.talking("c1", state="consulting"))
    scene.pbx.answering.clear()
    await terminal.send(messages.COMMAND, terminal.command(op, None))
    await make.until(lambda: len(scene.pbx.asked) == 2)
    scene.pbx.listener.on_progress("c1", "done", None)
    scene.pbx.answering.set()
    await make.until(lambda: terminal.results(f"{terminal.session}.2"))
    assert terminal.results(f"{terminal.session}.2") == [("failed", "busy-transferring")]
    assert terminal.results(f"{terminal.session}.1")[-1] == ("done", None)


async def test_a_cancel_that_fails_leaves_the_consultation_followed(scene, terminal, make):
    await terminal.ask("attended", "102")
    scene.pbx.change_calls("101", make.talking("c1", state="consulting"))
    scene.pbx.outcome = Outcome("failed", "unsupported")
    assert await terminal.ask("cancel", None) == ("failed", "unsupported")
    scene.pbx.listener.on_progress("c1", "done", None)
    assert terminal.results(f"{terminal.session}.1")[-1] == ("done", None)


async def test_swap_is_done_at_once_and_the_consultation_goes_on(scene, terminal, make):
    await terminal.ask("attended", "102")
    scene.pbx.change_calls("101", make.talking("c1", state="consulting"))
    await terminal.ask("swap", None)
    assert terminal.results(f"{terminal.session}.2") == [("done", None)]


async def test_a_cancel_keyed_while_the_transfer_is_still_being_asked_for_waits(scene, terminal, make):
    scene.pbx.answering.clear()
    await terminal.send(messages.COMMAND, terminal.command("attended", "102"))
    await make.until(lambda: scene.pbx.asked)
    await terminal.send(messages.COMMAND, terminal.command("cancel", None))
    assert [asked[0] for asked in scene.pbx.asked] == ["attended"]
    scene.pbx.answering.set()
    await make.until(lambda: len(scene.pbx.asked) == 2)
    assert scene.pbx.asked[1] == ("cancel", "c1")


async def test_a_consultation_found_after_a_restart_can_be_completed(scene, terminal, make):
    scene.pbx.change_calls("101", make.talking("c1", state="consulting"))
    assert await terminal.ask("complete", None) == ("accepted", None)
    assert terminal.heard(messages.CALL)[-1]["state"] == "consulting"
