"""Two terminals of one user, at the same extension under both forms of its number: one call, and one transfer of it."""

import pytest
from attack_lab.scenery.waiting import until
from pbx.desk import CALLER, COLLEAGUE, USER
from pbx.office import WAIT_S, Office
from pbx_lab.legs import are_alone
from phoneterm.core import messages

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_both_see_the_call_and_only_one_of_two_transfers_is_carried_out(lab, tmp_path):
    async with Office(lab, tmp_path) as office:
        second = office.enrol("t0003", f"0003*{USER}")
        await office.bridge.refresh()
        other = office.terminal_of(second)
        await other.hello()
        call = await office.talk()
        await until(lambda: other.heard(messages.CALL)[-1]["state"] == "talking", WAIT_S)
        assert other.heard(messages.CALL)[-1]["call"] == call
        lab.faults.slow_s = 0.3
        lab.faults.add("action", "slow")
        mine = office.terminal.command("blind", COLLEAGUE, call=call)
        await office.terminal.send(messages.COMMAND, mine)
        await until(lambda: lab.acted == ["Transfer"])
        theirs = other.command("blind", COLLEAGUE, call=call)
        await other.send(messages.COMMAND, theirs)
        await until(lambda: other.results(theirs["id"]), WAIT_S)
        assert other.results(theirs["id"]) == [("rejected", "busy-transferring")]
        await office.comes_to(mine["id"], "done")
        await lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
        assert lab.acted == ["Transfer"]
