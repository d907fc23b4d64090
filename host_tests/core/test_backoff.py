"""The delays of core.backoff. Runs on CPython and on MicroPython."""

from phoneterm.core.backoff import Backoff


def test_delays_double_up_to_the_most():
    backoff = Backoff(100, 700)
    assert [backoff.next_ms(0) for _ in range(5)] == [100, 200, 400, 700, 700]


def test_chance_takes_away_up_to_half():
    assert Backoff(1000, 1000).next_ms(0.5) == 750
    assert Backoff(1000, 1000).next_ms(0.999999) == 501
    assert Backoff(1, 1).next_ms(0.9) == 1


def test_after_a_reset_it_begins_again():
    backoff = Backoff(100, 1000)
    backoff.next_ms(0)
    backoff.next_ms(0)
    backoff.reset()
    assert backoff.next_ms(0) == 100


def test_impossible_limits_and_fractions_are_our_own_mistake():
    for call in (lambda: Backoff(0, 5), lambda: Backoff(6, 5), lambda: Backoff(1, 2).next_ms(1.0)):
        try:
            call()
        except ValueError:
            continue
        raise AssertionError("no ValueError")
