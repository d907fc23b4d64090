"""What is not permitted, what the calls do not allow, and a PBX that is away: refused without asking it to act."""

import pytest
from bridge.conftest import refused
from phoneterm.core import messages


@pytest.mark.parametrize(
    ("change", "op", "number", "reason"),
    [
        (lambda directory: directory.set_multi_user_aware("tech1", False), "blind", "102", "permission"),
        (lambda directory: directory.set_operation("phone-101", "blind", False), "blind", "102", "permission"),
        (lambda directory: directory.set_operation("phone-101", "attended", False), "attended", "102", "permission"),
        (lambda directory: directory.set_classes("phone-101", ()), "blind", "102", "destination"),
        (lambda directory: None, "blind", "0301234567", "destination"),
        (lambda directory: None, "blind", "999", "bad-number"),
        (lambda directory: None, "blind", None, "bad-number"),
        (lambda directory: None, "blind", "101", "self"),
        (lambda directory: None, "blind", "199", "unknown-number"),
    ],
)
async def test_what_is_not_permitted_is_refused(tmp_path, make, change, op, number, reason):
    scene = make.Scene(tmp_path)
    change(scene.directory)
    await scene.start()
    terminal = await scene.terminal()
    await terminal.hello()
    assert await refused(scene, terminal, op, number) == reason
    await scene.stop()


async def test_an_extension_of_another_type_may_do_nothing(tmp_path, make):
    scene = make.Scene(tmp_path)
    scene.directory.add_extension("103", "tech1", extension_type="queue")
    enrolment = scene.directory.add_terminal("phone-103", "103")
    await scene.start()
    scene.pbx.now["103"] = scene.pbx.now["101"]
    terminal = await scene.terminal(enrolment)
    await terminal.hello()
    assert terminal.heard(messages.PERMISSIONS)[-1]["multi_user_aware"] is False
    assert await refused(scene, terminal) == "permission"
    await scene.stop()


async def test_what_the_pbx_cannot_do_is_unsupported(tmp_path, make):
    scene = await make.Scene(tmp_path).start()
    scene.pbx.operations = frozenset({"blind"})
    terminal = await scene.terminal()
    await terminal.hello()
    assert await refused(scene, terminal, "attended") == "unsupported"
    await scene.stop()


# Which call.


@pytest.mark.parametrize(
    ("states", "op", "reason"),
    [
        ((), "blind", "no-call"),
        (("ringing",), "blind", "not-answered"),
        (("dialling",), "attended", "not-answered"),
        (("elsewhere",), "blind", "no-call"),
        (("talking", "talking"), "blind", "ambiguous"),
        (("held", "held"), "blind", "ambiguous"),
        (("held", "dialling"), "blind", "ambiguous"),
        (("consulting",), "blind", "busy-transferring"),
        (("consulting",), "attended", "busy-transferring"),
        (("talking",), "complete", "no-call"),
        (("talking",), "cancel", "no-call"),
        (("talking",), "swap", "no-call"),
    ],
)
async def test_what_the_calls_do_not_allow_is_refused(scene, terminal, make, states, op, reason):
    calls = [make.talking(f"c{index}", state=state) for index, state in enumerate(states, 1)]
    scene.pbx.change_calls("101", *calls)
    assert await refused(scene, terminal, op, call=None) == reason


async def test_of_two_calls_the_live_one_is_taken(scene, terminal, make):
    scene.pbx.change_calls("101", make.talking("c1", state="held"), make.talking("c2"))
    assert await terminal.ask(call=None) == ("accepted", None)
    assert scene.pbx.asked[0][1] == "c2"


async def test_the_number_one_is_talking_to_is_no_target(scene, terminal, make):
    scene.pbx.change_calls("101", make.talking("c1", lines=("102",)))
    assert await refused(scene, terminal) == "destination"


async def test_a_number_that_the_caller_only_displays_is_a_target(scene, terminal, make):
    scene.pbx.change_calls("101", make.talking("c1", peer="102"))
    assert await terminal.ask("blind", "102") == ("accepted", None)


async def test_a_second_transfer_during_the_first_is_refused(scene, terminal):
    await terminal.ask("attended", "102")
    assert await terminal.ask("attended", "103") == ("rejected", "busy-transferring")
    assert len(scene.pbx.asked) == 1


async def test_after_a_transfer_that_returned_the_next_one_is_taken(scene, terminal):
    await terminal.ask("attended", "102")
    scene.pbx.listener.on_progress("c1", "returned", "busy")
    assert await terminal.ask("attended", "103") == ("accepted", None)


# The PBX is away, or does not answer.


async def test_without_the_pbx_a_command_is_refused(scene, terminal):
    scene.pbx.is_available = False
    assert await refused(scene, terminal) == "pbx-unreachable"


async def test_a_number_the_pbx_says_nothing_about_is_refused(scene, terminal):
    async def say_nothing(context, number):
        return None

    scene.pbx.is_known_number = say_nothing
    assert await refused(scene, terminal) == "pbx-unreachable"
