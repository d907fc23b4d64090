"""The clock is set before a certificate is checked, and an obstacle is logged once. On the MicroPython VM."""

import json
from pathlib import Path

from vm_program import run_program

_PROGRAM = Path(__file__).parent / "vm_modules" / "clock_story.py"


def wait_for_clock(answers, time_host="", year=2000):
    """Wait for the clock of a chip that starts in `year`; return the year, the servers asked, and the log."""
    (line,) = run_program(_PROGRAM, year, json.dumps(answers), time_host)
    return json.loads(line)


def test_a_chip_that_was_just_switched_on_asks_once_there_is_a_network():
    assert wait_for_clock([2026]) == [2026, ["the stock one"], ["network", "network"]]


def test_the_time_server_of_the_settings_is_asked():
    _, asked, _ = wait_for_clock([2026], time_host="time.lab")
    assert asked == ["time.lab"]


def test_without_an_answer_it_asks_again_and_says_once_that_the_clock_is_wrong():
    year, asked, logged = wait_for_clock([None, None, 1970, 2026])
    assert year == 2026
    assert len(asked) == 4
    assert [event for event in logged if event != "network"] == ["clock-wrong"]


def test_a_clock_that_looks_right_is_left_alone():
    assert wait_for_clock([], year=2026) == [2026, [], ["network"]]
