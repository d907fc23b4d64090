"""The clock is set before a certificate is checked, from time servers that are right and from many that are not.

On the MicroPython VM, over UDP. The chip's clock says 2000 unless a test says otherwise.
"""

import json
import time
from pathlib import Path

import pytest
from device.time_servers import TimeServers, answer, at
from phoneterm.core.causes import NO_TIME
from virtual_phone import vm
from vm_program import FIRMWARE, run_program

_PROGRAM = Path(__file__).parent / "vm_modules" / "clock_story.py"
_NOW_S = int(time.time())
_AT_2000_S = 946684800
_AT_2016_S = 1451606400
_AT_2152_S = 5743440000


def right(query):
    return [answer(query, at(2027))]


def silent(_query):
    return []


def wait_for_clock(*scripts, time_host="", clock_s=_AT_2000_S):
    """Wait for the clock of a chip; return the year that it has then, the servers asked, the causes, and the log."""
    with TimeServers(*scripts) as servers:
        shift_s = clock_s - int(time.time())
        path = (vm.FAKE_MODULES, FIRMWARE)
        (line,) = run_program(_PROGRAM, servers.port, time_host, shift_s, path=path)
    now, causes, logged = json.loads(line)
    return now[0], servers.asked, causes, logged


def test_a_chip_that_was_just_switched_on_asks_once_there_is_a_network():
    assert wait_for_clock(right) == (2027, [1], [], [])


def test_the_clock_is_set_to_the_second():
    with TimeServers(right) as servers:
        path = (vm.FAKE_MODULES, FIRMWARE)
        (line,) = run_program(_PROGRAM, servers.port, "", _AT_2000_S - _NOW_S, path=path)
    year, month, day, hour, minute, second = json.loads(line)[0]
    assert ([year, month, day, hour, minute], second < 30) == ([2027, 6, 1, 12, 0], True)


def test_the_time_server_of_the_settings_is_asked_first():
    assert wait_for_clock(silent, right, time_host="127.0.0.2")[1] == [2]


WRONG = {
    "says 1970": lambda query: [answer(query, at(1970))],
    "says 2016": lambda query: [answer(query, at(2016))],
    "says the day before the sources": lambda query: [answer(query, at(2025, 12, 31))],
    "says 2060": lambda query: [answer(query, at(2060))],
    "asks to be left alone": lambda query: [answer(query, at(2027), stratum=0)],
    "asks to be left alone, without a time": lambda query: [answer(query, 0, stratum=0)],
    "has no time": lambda query: [answer(query, 0)],
    "has lost its own source": lambda query: [answer(query, at(2027), stratum=16)],
    "is not set": lambda query: [answer(query, at(2027), first=0xE4)],
    "is a client itself": lambda query: [answer(query, at(2027), first=0x23)],
    "answers another query": lambda query: [answer(query, at(2027), origin=bytes(8))],
    "sends a part": lambda query: [answer(query, at(2027))[:44]],
    "sends one byte": lambda query: [b"\x24"],
    "does not answer": silent,
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_server_that_is_wrong_does_not_set_the_clock_and_the_next_one_is_asked(wrong):
    year, asked, causes, logged = wait_for_clock(WRONG[wrong], right)
    assert (year, asked, causes) == (2027, [1, 2], [NO_TIME, 0])
    assert [event for event, _ in logged] == ["clock-wrong"]
    assert "127.0.0.1" in logged[0][1]


def test_a_whole_answer_after_a_short_one_counts():
    year, asked, _, _ = wait_for_clock(lambda query: [b"\x24", answer(query, at(2027))])
    assert (year, asked) == (2027, [1])


def test_the_router_is_asked_last_and_then_the_first_again_and_each_is_told_once():
    rounds = []

    def second_time(query):
        rounds.append(query)
        return right(query) if len(rounds) == 2 else []

    year, asked, causes, logged = wait_for_clock(second_time, silent, silent)
    assert (year, asked) == (2027, [1, 2, 3, 1])
    assert causes[-1] == 0
    assert [sentence.split("; ")[1] for _, sentence in logged] == [
        f"127.0.0.{number}: no answer" for number in (1, 2, 3)
    ]


def test_a_server_that_cannot_be_reached_is_passed_over():
    year, asked, _, logged = wait_for_clock(right, time_host="127.0.0.9")
    assert (year, asked) == (2027, [1])
    assert "127.0.0.9" in logged[0][1]


def test_a_clock_that_is_believed_is_left_alone():
    year, asked, _, logged = wait_for_clock(right, clock_s=_NOW_S)
    assert (year, asked, logged) == (time.gmtime(_NOW_S).tm_year, [], [])


@pytest.mark.parametrize("clock_s", [0, _AT_2016_S, _AT_2152_S])
def test_a_clock_that_is_wrong_after_a_restart_is_set_again(clock_s):
    assert wait_for_clock(right, clock_s=clock_s)[:2] == (2027, [1])


def test_the_years_beyond_2036_are_those_of_the_next_era():
    assert wait_for_clock(lambda query: [answer(query, at(2040))])[0] == 2040
