"""Traces through the firmware's own scanner, on its own schedule."""

import pytest
from keypad_lab.replay import Event, Replay, TraceMatrix, firmware_scanner
from keypad_lab.trace import TraceRow

_MS = 1000
_SECOND = 1000 * _MS


def _run(*rows, work_us=0):
    matrix = TraceMatrix()
    return Replay([TraceRow(*row) for row in rows], matrix, firmware_scanner(matrix), work_us)


def _replay(*rows, work_us=0):
    return list(_run(*rows, work_us=work_us).events())


def _downs(*rows):
    return [event.key_index for event in _replay(*rows) if event.kind == "down"]


def test_a_press_is_reported_where_its_third_sample_is():
    events = _replay((0, 0), (10 * _MS, 1), (100 * _MS, 0))
    # Polled at 0, 1 and then every 2 ms: contact at 11, 12 and 13 ms; open from 100 to 120 ms.
    assert events == [Event(13 * _MS, 0, "down"), Event(120 * _MS, 0, "up")]


def test_times_are_those_of_the_trace_wherever_it_starts():
    start = 7_777_777_777
    events = _replay((start, 0), (start + 10 * _MS, 0x8000), (start + 100 * _MS, 0))
    assert events == [Event(start + 13 * _MS, 15, "down"), Event(start + 120 * _MS, 15, "up")]


def test_a_trace_without_rows_reports_nothing():
    assert _replay() == []


def test_a_key_held_at_the_first_row_is_ignored_until_released():
    assert _downs((5, 1), (_SECOND, 0), (2 * _SECOND, 1)) == [0]


def test_a_key_that_closes_in_the_last_row_is_still_reported():
    assert _downs((0, 0), (_SECOND, 4)) == [2]


def test_a_contact_that_comes_and_goes_within_a_stall_is_never_seen():
    assert _downs((0, 0), (10 * _MS, 0, 50 * _MS), (15 * _MS, 1), (55 * _MS, 0), (_SECOND, 0)) == []


def test_a_key_that_outlasts_a_stall_is_reported_after_it():
    run = _run((0, 0), (10 * _MS, 0, 50 * _MS), (15 * _MS, 1), (90 * _MS, 0))
    assert next(run.events()) == Event(62 * _MS, 0, "down")
    assert run.poller.gaps.longest_ms() == 51
    assert run.stall_count == 1


def test_stalls_that_overlap_count_to_the_later_end():
    run = _run((0, 0), (10 * _MS, 0, 50 * _MS), (20 * _MS, 1, 10 * _MS), (90 * _MS, 0))
    assert next(run.events()).time_us == 62 * _MS


def test_a_stall_at_the_very_end_is_waited_for():
    assert _downs((0, 0), (_SECOND, 1, 5 * _SECOND)) == [0]


def test_a_stuck_key_is_masked_after_30_s_and_works_again():
    events = _replay((0, 0), (_SECOND, 1), (40 * _SECOND, 0), (41 * _SECOND, 1), (42 * _SECOND, 0))
    assert [event.kind for event in events] == ["down", "stuck", "up", "working", "down", "up"]
    assert events[1].time_us - events[0].time_us == 30 * _SECOND


def test_a_days_long_pause_is_stepped_over():
    day = 86400 * _SECOND
    run = _run((0, 0), (_SECOND, 1), (2 * _SECOND, 0), (30 * day, 2), (30 * day + _SECOND, 0))
    kinds = [(event.kind, event.time_us // day) for event in run.events()]
    assert kinds == [("down", 0), ("up", 0), ("down", 30), ("up", 30)]
    assert run.polls < 20_000


def test_a_slow_chip_is_polled_less_often():
    assert _replay((0, 0), (10 * _MS, 1), (_SECOND, 1), work_us=2 * _MS)[0].time_us > 13 * _MS


@pytest.mark.parametrize("gap_ms", [45, 60, 200])
def test_the_same_key_twice_is_two_presses_even_with_an_18_ms_bounce_between(gap_ms):
    rows = [(0, 0), (500 * _MS, 1)]
    rows += [(560 * _MS, 0), (565 * _MS, 1), (566 * _MS, 0), (576 * _MS, 1), (578 * _MS, 0)]
    rows += [((560 + gap_ms) * _MS, 1), ((660 + gap_ms) * _MS, 0)]
    assert _downs(*rows) == [0, 0]
