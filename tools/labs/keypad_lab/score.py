"""Compares a scanner's reports with the real presses.

Does not drive anything. A report of a press belongs to that key's latest real press that had begun by then. A second
report for the same press, or one before any press, is extra. Latency runs from the first contact to the report.
"""

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from keypad_lab.generate import KEYS, Press
from keypad_lab.replay import Event


class Score(NamedTuple):
    """How well one algorithm did on one recording."""

    presses: int
    missed: int
    extra: int
    wrong_order: int
    mean_ms: float
    p99_ms: float

    def per_thousand(self, count: int) -> float:
        """Return a count of mistakes per 1000 presses."""
        return 1000 * count / self.presses


def judge(presses: list[Press], events: Iterable[Event]) -> Score:
    """Return the score of the reports for these presses."""
    starts: list[list[int]] = [[] for _ in range(KEYS)]
    for press in presses:
        starts[press.key_index].append(press.down_us)
    seen: set[tuple[int, int]] = set()
    latencies = []
    extra = wrong_order = latest_us = 0
    for event in events:
        if event.kind != "down":
            continue
        place = bisect_right(starts[event.key_index], event.time_us) - 1
        if place < 0 or (event.key_index, place) in seen:
            extra += 1
            continue
        seen.add((event.key_index, place))
        start_us = starts[event.key_index][place]
        wrong_order += start_us < latest_us
        latest_us = max(latest_us, start_us)
        latencies.append(event.time_us - start_us)
    latencies.sort()
    count = len(latencies)
    mean_ms = sum(latencies) / count / 1000 if count else 0.0
    p99_ms = latencies[(count * 99 + 99) // 100 - 1] / 1000 if count else 0.0
    return Score(len(presses), len(presses) - count, extra, wrong_order, mean_ms, p99_ms)
