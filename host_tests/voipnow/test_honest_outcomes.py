"""Whatever goes wrong, in any combination: a transfer is asked for at most once, and its outcome is what happened."""

import random

import pytest
from pbx.desk import CALLER, COLLEAGUE, USER, Desk, to
from pbx_lab.legs import are_alone

pytestmark = pytest.mark.asyncio(loop_scope="session")

SEEDS = range(30)
LIST_FAULTS = ("cut-before", "cut-after", "half", "no-json", "redirect", "401", "429", "500", "503")
ACTION_FAULTS = (*LIST_FAULTS, "400", "403", "404", "nothing", "lose-call")
TOKEN_FAULTS = ("cut-before", "half", "no-json", "500")


def prepare(lab, draw):
    """Let things go wrong by chance."""
    lab.shapes.entries = draw.choice(("array", "object"))
    lab.shapes.updated = draw.choice(("array", "object"))
    lab.shapes.has_other_views = draw.random() < 0.5
    lab.shapes.effect_after_s = draw.choice((0.0, 0.0, 0.05))
    trouble = draw.choice(("token", "list", "list twice", "", "", "", "", ""))
    if trouble == "token":
        lab.tokens.expire_all()
        lab.faults.add("token", draw.choice(TOKEN_FAULTS))
    for _ in range(("", "list", "list twice").index(trouble) if trouble != "token" else 0):
        lab.faults.add("list", draw.choice(LIST_FAULTS))
    if draw.random() < 0.8:
        lab.faults.add("action", draw.choice(ACTION_FAULTS))


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_transfer_is_asked_for_at_most_once_and_its_outcome_is_what_happened(lab, clock, seed):
    draw = random.Random(seed)
    async with Desk(lab, clock=clock) as desk:
        call = await desk.talk()
        prepare(lab, draw)
        state, reason = await desk.pbx.carry_out("blind", call, to(COLLEAGUE))
        assert len(lab.acted) <= 1
        assert all(one.count("/") == 5 for one in lab.requests if one.startswith("PUT")), "an action names its call"
        lab.faults.clear()
        if state == "accepted":
            await desk.result("done")
        elif state == "failed" and reason != "no-call":
            assert are_alone(await lab.legs(), CALLER, USER)
        moved = state == "accepted" or (state == "unknown" and not are_alone(await lab.legs(), CALLER, USER))
        if moved:
            await lab.wait_until(lambda legs: are_alone(legs, CALLER, COLLEAGUE))
            await desk.wait_until(lambda: desk.pbx.calls(USER) == ())
        assert desk.progress == ([(call.ref, "done", None)] if state == "accepted" else [])
        assert len(lab.acted) <= 1
