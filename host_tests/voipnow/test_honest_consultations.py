"""Whatever goes wrong in a composed transfer: nothing is asked for twice, and no caller is left on hold unseen."""

import asyncio
import random

import pytest
from attack_lab.scenery.waiting import until
from pbx.desk import CALLER, COLLEAGUE, USER, Desk, to
from pbx_lab.legs import is_on_hold
from phoneterm_bridge.pbx.port import Outcome

pytestmark = pytest.mark.asyncio(loop_scope="session")

SEEDS = range(60)
WAYS = ("cut-before", "cut-after", "half", "no-json", "nothing", "400", "403", "429", "500", "redirect")
STEPS = ("OnHold", "MakeCall", "HangUp", "Transfer", "OffHold")
BUSY = Outcome("failed", "busy-transferring")
LATER_S = 11  # after this, nothing that VoipNow has not shown is waited for any more


def prepare(lab, draw):
    """Let things go wrong by chance; return which."""
    lab.shapes.entries = draw.choice(("array", "object"))
    lab.shapes.updated = draw.choice(("array", "object"))
    lab.shapes.has_other_views = draw.random() < 0.5
    lab.shapes.shows_given_caller_id = draw.random() < 0.8
    lab.shapes.names_made_call = draw.random() < 0.8
    lab.shapes.effect_after_s = draw.choice((0.0, 0.0, 0.05))
    broken = {step: draw.choice(WAYS) for step in STEPS if draw.random() < 0.35}
    for step, way in broken.items():
        lab.faults.add(step, way)
    return broken


def is_at_rest(desk):
    """Say whether nothing is awaited any more: the user's call is gone, or it is back, or a consultation is shown."""
    calls = desk.pbx.calls(USER)
    return len(calls) <= 1 and all(call.state in ("talking", "consulting") for call in calls)


def waits(lab):
    """Say whether the caller is on hold."""
    return any(one.endpoint == CALLER and one.hears_music for one in lab.exchange.parties.channels)


def is_shown(desk):
    """Say whether the user is shown a consultation, which the cancel key ends."""
    return [call.state for call in desk.pbx.calls(USER)] == ["consulting"]


async def cancel(desk, call):
    """Cancel as a user does: again, for as long as it is said that something else is under way."""
    for _ in range(1000):
        if await desk.pbx.carry_out("cancel", call, None) != BUSY:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it is busy for ever")


@pytest.mark.parametrize("seed", SEEDS)
async def test_nothing_is_asked_for_twice_and_no_caller_is_left_on_hold_unseen(lab, clock, seed):
    draw = random.Random(seed)
    async with Desk(lab, clock=clock, changes=("voipnow.attended=composed",)) as desk:
        call = await desk.talk()
        broken = prepare(lab, draw)
        await desk.pbx.carry_out("attended", call, to(COLLEAGUE))
        op = draw.choice(("complete", "cancel", "colleague hangs up", "nothing"))
        if op in ("complete", "cancel"):
            await desk.pbx.carry_out(op, call, None)
        elif op == "colleague hangs up" and any(leg.endpoint == COLLEAGUE for leg in await lab.legs()):
            await lab.hang_up(COLLEAGUE)
        clock.skip(LATER_S)
        await until(lambda: is_at_rest(desk), 10)
        for action in STEPS:
            most = 2 if action == "OffHold" and op == "cancel" else 1  # the user may ask once more for what has failed
            assert lab.acted.count(action) <= most, (op, broken, lab.acted)
        assert all(one.count("/") == 5 for one in lab.requests if one.startswith(("PUT", "DELETE"))), (
            "each names a call"
        )
        await until(lambda: is_shown(desk) or not waits(lab), 10)
        if waits(lab):
            lab.faults.clear()
            clock.skip(LATER_S)  # it may have said that it is asked too often
            await cancel(desk, call)
            await lab.wait_until(lambda legs: not is_on_hold(legs, CALLER))
