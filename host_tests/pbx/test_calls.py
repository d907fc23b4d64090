"""What a leg is to its user, for every combination of facts; a backend refuses what the bridge would refuse."""

import itertools
import math

import pytest
from phoneterm_bridge.pbx.calls import LegFacts, choose_call, refusal_of_leg, state_of
from phoneterm_bridge.pbx.port import Call

EVERY_LEG = [LegFacts(*values) for values in itertools.product((False, True), repeat=len(LegFacts._fields))]
# As a PBX reports them: a leg with company is where people are connected, and has talked.
LEGS_WITHOUT_TRANSFER = [
    facts
    for facts in EVERY_LEG
    if not facts.is_in_transfer and (not facts.has_company or (facts.is_joined and facts.has_talked))
]
NOBODY = LegFacts(False, False, False, False, False, False)


def call_of(facts):
    """Return the call that a backend hands out for this leg."""
    return Call("c1", "101", state_of(facts), 1.0 if facts.has_talked else None, "103")


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (NOBODY, "ringing"),
        (NOBODY._replace(calls_out=True), "dialling"),
        (NOBODY._replace(is_joined=True), "ringing"),
        (NOBODY._replace(is_answered=True), "elsewhere"),
        (NOBODY._replace(is_answered=True, has_talked=True), "elsewhere"),
        (NOBODY._replace(is_answered=True, is_joined=True), "elsewhere"),
        (NOBODY._replace(is_answered=True, is_on_hold=True), "elsewhere"),
        (NOBODY._replace(is_joined=True, has_company=True), "talking"),
        (NOBODY._replace(is_answered=True, is_joined=True, has_talked=True), "talking"),
        (NOBODY._replace(is_joined=True, has_company=True, is_on_hold=True), "held"),
        (NOBODY._replace(is_joined=True, has_talked=True, is_on_hold=True), "held"),
        (NOBODY._replace(is_in_transfer=True), "consulting"),
        (NOBODY._replace(is_joined=True, has_company=True, is_on_hold=True, is_in_transfer=True), "consulting"),
    ],
)
def test_a_leg_is_to_its_user_what_the_facts_say(facts, state):
    assert state_of(facts) == state


@pytest.mark.parametrize("facts", LEGS_WITHOUT_TRANSFER)
def test_where_the_bridge_finds_no_call_the_backend_refuses_for_the_same_reason(facts):
    chosen, refusal = choose_call((call_of(facts),), None, math.inf), refusal_of_leg(facts, is_busy=False)
    if isinstance(chosen, str):
        assert refusal == chosen
    else:
        assert refusal == (None if facts.has_company else "no-call")


@pytest.mark.parametrize("facts", EVERY_LEG)
def test_nobody_is_sent_away_from_a_leg_that_is_busy_or_alone(facts):
    assert refusal_of_leg(facts, is_busy=True) == "busy-transferring"
    if not facts.has_company:
        assert refusal_of_leg(facts, is_busy=False) in ("not-answered", "no-call")


def test_somebody_is_sent_away_from_a_leg_that_talks_even_on_hold():
    for is_on_hold in (False, True):
        facts = NOBODY._replace(is_answered=True, is_joined=True, has_company=True, is_on_hold=is_on_hold)
        assert refusal_of_leg(facts, is_busy=False) is None
