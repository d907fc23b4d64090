"""A second PBX backend is one file and one test parameter: the same bridge, the same terminal, the same test bodies."""

import pytest
import pytest_asyncio
from pbx.blind_only import BlindOnlyPbx
from pbx.desk import CALLER, COLLEAGUE, USER
from pbx.office import Office
from pbx_lab.legs import are_alone
from phoneterm.core import messages
from phoneterm_bridge.pbx.backends import make_pbx

pytestmark = pytest.mark.asyncio(loop_scope="session")

BACKENDS = {"asterisk": make_pbx, "blind only": BlindOnlyPbx}


@pytest_asyncio.fixture(loop_scope="session", params=BACKENDS)
async def office(request, lab, tmp_path):
    """A bridge with one of the backends, and the terminal of extension 101."""
    async with Office(lab, tmp_path, make_backend=BACKENDS[request.param]) as office:
        yield office


async def test_a_caller_is_sent_to_a_colleague(office):
    await office.talk()
    await office.comes_to(await office.ask("blind", COLLEAGUE), "done")
    await office.lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
    await office.call_is("idle")


async def test_a_call_that_rings_and_no_call_are_refused(office):
    await office.comes_to(await office.ask("blind", COLLEAGUE, call=None), "rejected", "no-call")
    await office.lab.set_behaviour(USER, "ring")
    await office.lab.place_call(CALLER, USER)
    await office.call_is("ringing")
    await office.comes_to(await office.ask("blind", COLLEAGUE), "rejected", "not-answered")


async def test_a_number_that_the_dialplan_does_not_have_is_refused(office):
    await office.talk()
    await office.comes_to(await office.ask("blind", "299"), "rejected", "unknown-number")
    assert are_alone(await office.lab.legs(), CALLER, USER)


async def test_the_terminal_is_told_what_the_pbx_can_do_and_the_rest_is_unsupported(office):
    operations = office.bridge.parts.pbx.operations
    assert set(office.terminal.heard(messages.CONFIG)[-1]["ops"]) == operations
    await office.talk()
    for op, number in (("attended", COLLEAGUE), ("complete", None), ("cancel", None), ("swap", None)):
        result = "unsupported" if op not in operations else None if number else "no-call"
        command = await office.ask(op, number)
        if result is not None:
            await office.comes_to(command, "rejected", result)
        else:
            await office.comes_to(command, "consulting")
            await office.lab.hang_up(COLLEAGUE)
            await office.comes_to(command, "returned")
    await office.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))
