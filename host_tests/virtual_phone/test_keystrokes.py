"""The plan of typed keys."""

import pytest
from virtual_phone.keystrokes import plan_keystrokes


def test_keys_follow_each_other_at_hold_and_gap():
    assert plan_keystrokes("#1", 60, 40) == [(0, "#", True), (60, "#", False), (100, "1", True), (160, "1", False)]


def test_a_gap_below_zero_rolls_over():
    assert plan_keystrokes("12", 60, -20) == [(0, "1", True), (40, "2", True), (60, "1", False), (100, "2", False)]


def test_without_a_gap_a_key_goes_up_before_the_next_goes_down():
    assert [stroke[1:] for stroke in plan_keystrokes("12", 50, 0)][1:3] == [("1", False), ("2", True)]


def test_the_same_key_cannot_go_down_twice():
    with pytest.raises(ValueError, match="key 1 would go down again"):
        plan_keystrokes("11", 60, 0)


def test_time_must_go_on():
    with pytest.raises(ValueError, match="more than 0"):
        plan_keystrokes("12", 60, -60)
