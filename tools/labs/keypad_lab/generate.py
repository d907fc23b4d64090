"""Makes traces of people typing on a keypad, together with the keys they really pressed; same seed, same trace.

Does not replay. A key press is a train of contact toggles: it bounces after closing and again after opening. A spike
is a contact that reads the opposite for 0.6 ms. The matrix has no diodes: where three corners of a rectangle are
closed, the fourth reads closed too. Times are microseconds from 0.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from keypad_lab.trace import TraceRow

KEYS = 16
SPIKE_US = 600
_SETTLE_US = 60_000  # from one key's release to its next press: bounce, and the finger's way up and down
_QUIET_US = 500_000  # before the first press


@dataclass(frozen=True)
class Habit:
    """How someone types, and on what kind of keypad."""

    hold_us: tuple[int, int] = (60_000, 160_000)
    pause_us: tuple[int, int] = (50_000, 250_000)
    overlap_percent: int = 0  # of the hold during which the next key is already down
    bounce_us: tuple[int, int] = (0, 4_000)  # after closing, and again after opening
    closed_us: tuple[int, int] = (50, 1_500)  # one closed stretch within a bounce
    open_us: tuple[int, int] = (50, 1_500)  # one open stretch within a bounce
    long_open_percent: int = 0  # bounces that are one short contact and then open to their end
    spikes_per_second: float = 0.0
    stalls_per_minute: float = 0.0
    stall_us: tuple[int, int] = (5_000, 50_000)


HABITS = {
    "clean": Habit(),
    "bad-membrane": Habit(bounce_us=(2_000, 18_000), closed_us=(50, 3_000), open_us=(50, 2_000)),
    "worst-membrane": Habit(
        bounce_us=(2_000, 18_000), closed_us=(50, 3_000), open_us=(50, 6_000), long_open_percent=20
    ),
    "roll-over": Habit(hold_us=(60_000, 110_000), overlap_percent=30),
    "spikes": Habit(spikes_per_second=1.9),
    "stalls": Habit(stalls_per_minute=20),
}
HABITS["all-at-once"] = replace(HABITS["bad-membrane"], hold_us=(60_000, 110_000), overlap_percent=30,
                                spikes_per_second=1.9)  # fmt: skip


class Press(NamedTuple):
    """One press of a key: when it first closed, and when its finger left."""

    key_index: int
    down_us: int
    up_us: int


class Recording(NamedTuple):
    """A trace and the real presses in it."""

    rows: list[TraceRow]
    presses: list[Press]


def generate(habit: Habit, press_count: int, seed: int) -> Recording:
    """Return a recording of `press_count` presses by someone with that habit."""
    chance = random.Random(seed)  # noqa: S311 the same seed must give the same trace
    presses = list(_presses(habit, press_count, chance))
    toggles: list[tuple[int, int]] = []
    for press in presses:
        times = _bounce(press.down_us, True, habit, chance) + _bounce(press.up_us, False, habit, chance)
        toggles += [(time_us, 1 << press.key_index) for time_us in times]
    end_us = presses[-1].up_us + _QUIET_US
    toggles += _spikes(habit, end_us, chance)
    stalls = _stalls(habit, end_us, chance)
    return Recording(list(_fold(sorted(toggles), stalls, end_us)), presses)


def _presses(habit: Habit, count: int, chance: random.Random) -> Iterator[Press]:
    down_us = _QUIET_US
    free_from_us = [0] * KEYS
    for _ in range(count):
        index = chance.choice([key for key in range(KEYS) if free_from_us[key] <= down_us])
        up_us = down_us + chance.randint(*habit.hold_us)
        free_from_us[index] = up_us + _SETTLE_US
        yield Press(index, down_us, up_us)
        if habit.overlap_percent:
            down_us = up_us - (up_us - down_us) * habit.overlap_percent // 100
        else:
            down_us = up_us + chance.randint(*habit.pause_us)


def _bounce(edge_us: int, is_closing: bool, habit: Habit, chance: random.Random) -> list[int]:
    """Return the times at which the contact toggles: an odd number, the first at `edge_us`."""
    end_us = edge_us + chance.randint(*habit.bounce_us)
    first_us, second_us = (habit.closed_us, habit.open_us) if is_closing else (habit.open_us, habit.closed_us)
    times = [edge_us]
    if chance.randrange(100) < habit.long_open_percent and is_closing:
        short_us = chance.randint(*first_us)
        return [edge_us, edge_us + short_us, max(end_us, edge_us + short_us + 1)]
    while True:
        there_us = times[-1] + chance.randint(*first_us)
        back_us = there_us + chance.randint(*second_us)
        if back_us > end_us:
            return times
        times += [there_us, back_us]


def _spikes(habit: Habit, end_us: int, chance: random.Random) -> list[tuple[int, int]]:
    toggles = []
    for start_us in _moments(habit.spikes_per_second, end_us, chance):
        key = 1 << chance.randrange(KEYS)
        toggles += [(start_us, key), (start_us + SPIKE_US, key)]
    return toggles


def _stalls(habit: Habit, end_us: int, chance: random.Random) -> list[tuple[int, int]]:
    starts = _moments(habit.stalls_per_minute / 60, end_us, chance)
    return [(start_us, chance.randint(*habit.stall_us)) for start_us in starts]


def _moments(per_second: float, end_us: int, chance: random.Random) -> list[int]:
    count = int(per_second * end_us / 1e6)
    return sorted(chance.randrange(end_us) for _ in range(count))


def _fold(toggles: list[tuple[int, int]], stalls: list[tuple[int, int]], end_us: int) -> Iterator[TraceRow]:
    """Merge stalls and the toggles of single contacts, each in order of time, into rows of all 16."""
    moments = [(time_us, key, 0) for time_us, key in toggles] + [(time_us, 0, stall_us) for time_us, stall_us in stalls]
    closed = 0
    yield TraceRow(0, 0)
    for time_us, key, stall_us in sorted(moments):
        closed ^= key
        yield TraceRow(time_us, as_read(closed), stall_us)
    yield TraceRow(end_us, as_read(closed))


def as_read(closed: int) -> int:
    """Return what a matrix without diodes reads when the contacts in `closed` are closed."""
    rows = [closed >> shift & 15 for shift in (0, 4, 8, 12)]
    for _ in range(3):
        rows = [columns | _joined(columns, rows) for columns in rows]
    return rows[0] | rows[1] << 4 | rows[2] << 8 | rows[3] << 12


def _joined(columns: int, rows: list[int]) -> int:
    """Return the columns of all rows that share one with `columns`."""
    joined = 0
    for other in rows:
        if columns & other:
            joined |= other
    return joined
