"""The plans of the chaos: the same for the same seed, and over many seeds nothing is left out."""

from fault_lab.faults import EFFECTS
from fault_lab.plan import BRIDGE_SIDE, EMBEDDED, MOSQUITTO, STEPS, TERMINAL_SIDE, make_plan

PLANS = [make_plan(seed) for seed in range(2000)]


def test_the_same_seed_gives_the_same_plan():
    assert [make_plan(plan.seed) for plan in PLANS] == PLANS


def test_many_plans_hold_every_fault_on_each_side_and_every_outage_at_each_step():
    faults = {(side, fault.effect) for plan in PLANS for side, fault in plan.faults}
    assert faults == {(side, effect) for side in (TERMINAL_SIDE, BRIDGE_SIDE) for effect in EFFECTS}
    outages = {(one.what, one.step) for plan in PLANS for one in plan.outages}
    assert {("bridge", step) for step in STEPS} | {("broker", step) for step in STEPS} <= outages
    assert {plan.op for plan in PLANS} == {"blind", "attended"}


def test_an_embedded_broker_has_no_bridge_side_and_no_outage_of_its_own():
    embedded = [make_plan(seed, (EMBEDDED,)) for seed in range(300)]
    assert {side for plan in embedded for side, _ in plan.faults} == {TERMINAL_SIDE}
    assert "broker" not in {one.what for plan in embedded for one in plan.outages}
    assert {make_plan(seed, (MOSQUITTO,)).broker for seed in range(20)} == {MOSQUITTO}


def test_a_plan_can_be_read_in_one_line():
    for plan in PLANS[:200]:
        assert plan.op in plan.describe()
        assert "\n" not in plan.describe()
