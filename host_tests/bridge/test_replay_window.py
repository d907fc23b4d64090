"""The anti-replay window: a number is accepted once, in any order, and never when it is too far behind."""

import random

from phoneterm_bridge.terminals.replay_window import WIDTH, ReplayWindow


def test_a_number_is_taken_once():
    window = ReplayWindow()
    assert [window.admit(number) for number in (0, 1, 1, 0, 2)] == [True, True, False, False, True]


def test_numbers_that_overtake_each_other_are_all_taken():
    window = ReplayWindow()
    assert [window.admit(number) for number in (5, 3, 4, 3, 9, 6, 5)] == [True, True, True, False, True, True, False]


def test_what_is_too_far_behind_is_not_taken():
    window = ReplayWindow()
    window.admit(1000)
    assert window.admit(1001 - WIDTH)
    assert not window.admit(1000 - WIDTH)


def test_a_leap_forgets_nothing_that_could_be_taken_again():
    window = ReplayWindow()
    for number in (1, 2, 1 << 100):
        assert window.admit(number)
    assert not any(window.admit(number) for number in (1, 2, 1 << 100, 3))


def test_it_is_never_more_generous_than_a_set_of_all_numbers():
    chance = random.Random(1)
    for _ in range(200):
        window, come = ReplayWindow(), set()
        highest = 0
        for _ in range(300):
            number = max(0, highest + chance.randint(-100, 40))
            is_new = window.admit(number)
            assert is_new == (number not in come and number > highest - WIDTH)
            come.add(number) if is_new else None
            highest = max(highest, number)
