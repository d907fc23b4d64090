"""The Wi-Fi supervisor on the real MicroPython VM, with a radio that the story controls."""

from pathlib import Path

from vm_program import run_program

_PROGRAM = Path(__file__).parent / "vm_modules" / "wifi_stories.py"


def tell(story):
    """Run a story to its end and return its output lines."""
    return run_program(_PROGRAM, story)


def test_a_lost_network_is_left_to_the_radio_which_joins_it_again():
    lines = tell("lost_network")
    assert lines == ["wifi-up joined", "-61", "wifi-down the network was lost", "13", "wifi-up joined",
                     "0 [True, False, True] ['active', ('lab', 'pw')]"]  # fmt: skip


def test_an_attempt_is_not_broken_off_for_the_reason_of_the_last_one():
    lines = tell("slow_attempt")
    assert lines == ["11", "wifi-up joined", "0 ['active', ('lab', 'pw')]"]


def test_a_reason_that_is_over_before_its_time_is_not_told():
    lines = tell("reason_that_is_over_in_time")
    assert lines == ["wifi-up joined", "{0}"]


def test_a_wrong_password_is_the_cause_and_tried_again_by_the_radio():
    lines = tell("wrong_password")
    assert lines == ["12", "wifi-up joined", "[True] -61 4"]


def test_a_radio_that_says_nothing_has_no_address_and_is_told_anew():
    lines = tell("silent_radio")
    assert lines == ["13 2", "wifi-up joined"]


def test_a_network_that_is_too_weak_or_protected_in_another_way_counts_as_not_found():
    assert tell("unsuitable_network") == ["11"]


def test_an_error_of_the_radio_does_not_end_the_supervisor():
    lines = tell("error_of_the_radio")
    assert lines == ["wifi-failed Wifi Internal State Error", "wifi-up joined"]
