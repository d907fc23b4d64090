"""What lists say of a caller who was sent away: that an extension has answered, or nothing."""

import pytest
from phoneterm_bridge.pbx.voipnow.arrivals import Arrivals
from voipnow.test_call_table import ON_CALL, RINGING, call, view

USER, CALLER, COLLEAGUE = "0003*101", "0003*103", "0003*102"


class Clock:
    """Stands still unless a test puts it forward."""

    now_s = 1000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    """The clock of the arrivals."""
    return Clock()


@pytest.fixture
def arrivals(clock):
    """The caller of call c1 is on the way; the user and the caller were in it."""
    arrivals = Arrivals(clock)
    arrivals.add("ref", "c1", {USER, CALLER})
    return arrivals


def test_an_extension_that_was_not_there_before_and_is_connected_has_answered(arrivals):
    assert arrivals.pop_answered([call(view(CALLER), view(COLLEAGUE, status=RINGING))]) == []
    assert arrivals.pop_answered([call(view(CALLER), view(COLLEAGUE, status=ON_CALL))]) == ["ref"]
    assert arrivals.pop_answered([call(view(CALLER), view(COLLEAGUE, status=ON_CALL))]) == []


def test_those_who_were_there_before_have_not_answered(arrivals):
    assert arrivals.pop_answered([call(view(USER), view(CALLER))]) == []


def test_another_calls_extensions_do_not_count(arrivals):
    calls = [call(view(CALLER)), call(view(COLLEAGUE), call_id="c2")]
    assert arrivals.pop_answered(calls) == []


def test_a_call_that_is_gone_is_not_followed_any_more(arrivals):
    assert arrivals.pop_answered([]) == []
    assert arrivals.pop_answered([call(view(COLLEAGUE))]) == []


def test_nobody_is_followed_for_ever(arrivals, clock):
    clock.now_s += 121
    assert arrivals.pop_answered([call(view(CALLER))]) == []
    assert arrivals.pop_answered([call(view(COLLEAGUE))]) == []
