"""Recordings are repeatable and as described; the score counts correctly; our scanner keeps its limits."""

import pytest
from keypad_lab.bench import OURS, Line, compare, failures, table
from keypad_lab.generate import HABITS, Press, as_read, generate
from keypad_lab.peers import PEERS
from keypad_lab.replay import Event, Replay, TraceMatrix, firmware_scanner
from keypad_lab.score import judge


def _down(time_us, index):
    return Event(time_us, index, "down")


def test_the_same_seed_gives_the_same_recording_and_another_seed_another():
    habit = HABITS["all-at-once"]
    assert generate(habit, 50, 7) == generate(habit, 50, 7)
    assert generate(habit, 50, 7) != generate(habit, 50, 8)


@pytest.mark.parametrize("name", HABITS)
def test_a_recording_runs_forward_and_ends_open(name):
    recording = generate(HABITS[name], 100, 1)
    times = [row.time_us for row in recording.rows]
    assert times == sorted(times)
    assert recording.rows[-1].contacts == 0
    assert len(recording.presses) == 100
    assert all(row.contacts < 1 << 16 for row in recording.rows)


def test_three_corners_of_a_rectangle_read_as_four():
    assert as_read(0b0001_0011) == 0b0011_0011
    assert as_read(0x8421) == 0x8421


def test_the_score_tells_missed_extra_and_wrong_order_apart():
    presses = [Press(1, 1000, 50_000), Press(2, 100_000, 150_000), Press(3, 200_000, 250_000), Press(1, 300_000, 1)]
    events = [_down(500, 1), _down(3000, 1), _down(4000, 1), _down(206_000, 3), _down(207_000, 2)]
    score = judge(presses, events)
    assert (score.missed, score.extra, score.wrong_order) == (1, 2, 1)
    assert score.p99_ms == 107.0
    assert score.mean_ms == pytest.approx((2 + 6 + 107) / 3)


def test_releases_do_not_count_and_no_reports_are_no_latency():
    score = judge([Press(1, 0, 1)], [Event(5, 1, "up")])
    assert (score.missed, score.extra, score.mean_ms, score.p99_ms) == (1, 0, 0.0, 0.0)
    assert score.per_thousand(1) == 1000


def test_our_scanner_keeps_its_limits_where_others_do_not():
    lines = list(compare(300, ["all-at-once"]))
    assert failures(lines) == []
    assert {line.algorithm for line in lines} == {OURS, *PEERS}
    assert any(line.extra for line in lines)
    assert any(line.missed for line in lines)


@pytest.mark.parametrize("seed", [11, 12])
def test_two_thousand_keys_on_the_hardest_keypad_lose_and_add_nothing(seed):
    recording = generate(HABITS["all-at-once"], 2000, seed)
    matrix = TraceMatrix()
    score = judge(recording.presses, Replay(recording.rows, matrix, firmware_scanner(matrix)).events())
    assert (score.extra, score.wrong_order) == (0, 0)
    assert score.missed <= 2
    assert score.mean_ms <= 5
    assert score.p99_ms <= 10


def test_a_limit_that_is_not_kept_is_named():
    late = Line(OURS, "clean", 6.0, 11.0, 0, 0, 0)
    wrong = Line(OURS, "spikes", 1.0, 2.0, 0, 0.5, 0)
    other = Line("ZMK integrator 5/5 ms", "clean", 9.0, 20.0, 5, 5, 5)
    assert failures([late, wrong, other]) == [
        "clean: latency 6.0 / 11.0 ms is over the limit.",
        "spikes: 0.0 missed, 0.5 extra and 0.0 in the wrong order per 1000 presses.",
    ]
    assert len(list(table([late, wrong, other]))) == 9
