"""What one terminal may say: a reserve, then evenly, then the end; and what the bridge's own reading drops."""

import pytest
from bridge.clock import Clock
from phoneterm.core import messages
from phoneterm_bridge.mqtt import budget
from phoneterm_bridge.mqtt.budget import MESSAGES_IN_RESERVE, MESSAGES_PER_S, OCTETS_IN_RESERVE, OCTETS_PER_S, Budget
from phoneterm_bridge.mqtt.inbound import Inbound
from phoneterm_bridge.mqtt.pulse import PULSE_NAME

BASE = "phoneterm"


@pytest.fixture
def clock():
    return Clock(0.0)


@pytest.fixture
def one(clock):
    return Budget(clock)


def topic(tid, kind=messages.TELEMETRY):
    return messages.topic_of(BASE, tid, kind)


def test_the_reserve_is_free_and_what_is_beyond_is_paid_for_in_time(one):
    assert [one.spend(1) for _ in range(MESSAGES_IN_RESERVE)] == [0] * MESSAGES_IN_RESERVE
    assert one.spend(1) == pytest.approx(1 / MESSAGES_PER_S)
    assert one.spend(1) == pytest.approx(2 / MESSAGES_PER_S)


def test_octets_count_too(one):
    assert one.spend(OCTETS_IN_RESERVE) == 0
    assert one.spend(OCTETS_PER_S) == pytest.approx(1)


def test_it_is_full_again_after_a_while(one, clock):
    one.spend(1, MESSAGES_IN_RESERVE)
    clock.now_s += MESSAGES_IN_RESERVE / MESSAGES_PER_S
    assert one.spend(1, MESSAGES_IN_RESERVE) == 0


def flood(one, clock, seconds):
    """Say as much as the waits allow; return how many messages that was."""
    count, until_s = 0, clock.now_s + seconds
    while clock.now_s < until_s and not one.is_overdrawn:
        clock.now_s += one.spend(100)
        count += 1
    return count


def test_whoever_never_stops_is_overdrawn_after_a_few_seconds(one, clock):
    flood(one, clock, 60)
    assert one.is_overdrawn
    assert clock.now_s == pytest.approx(budget.MOST_WAITED_S, abs=0.1)


def test_a_reserve_that_was_full_again_makes_up_for_the_waits_before(one, clock):
    for _ in range(20):
        flood(one, clock, 4)
        assert not one.is_overdrawn
        clock.now_s += 10


def test_a_flood_that_comes_back_at_once_gets_no_new_reserve(one, clock):
    flood(one, clock, 60)
    one.end_patience()
    assert not one.is_overdrawn
    assert one.spend(0) > budget.MOST_WAITED_S


def test_what_is_over_the_budget_of_one_is_dropped_and_told_once_a_second(clock):
    told = []
    inbound = Inbound(BASE, lambda *words: told.append(words), clock)
    heard = sum(inbound.takes(topic("phone-101"), 100) for _ in range(10_000))
    assert heard == MESSAGES_IN_RESERVE
    assert inbound.dropped == 10_000 - heard
    assert told == [("phone-101", budget.TOO_MUCH)]
    clock.now_s += 1
    assert sum(inbound.takes(topic("phone-101"), 100) for _ in range(1000)) == MESSAGES_PER_S
    assert len(told) == 2


def test_all_kinds_of_message_of_one_terminal_have_one_budget_and_others_have_their_own(clock):
    inbound = Inbound(BASE, lambda *_: None, clock)
    for _ in range(MESSAGES_IN_RESERVE):
        inbound.takes(topic("phone-101"), 100)
    assert not inbound.takes(topic("phone-101", messages.COMMAND), 100)
    assert inbound.takes(topic("phone-102", messages.COMMAND), 100)


def test_topics_outside_the_contract_share_one_budget_and_the_bridges_own_have_none(clock):
    inbound = Inbound(BASE, lambda *_: None, clock)
    assert sum(inbound.takes(f"{BASE}/{number}", 1) for number in range(10_000)) == MESSAGES_IN_RESERVE
    assert all(inbound.takes(messages.topic_of(BASE, PULSE_NAME, messages.STATE), 16) for _ in range(10_000))
