"""The time in which the age of a command is counted: it goes on while the host stands still. Acts on nothing itself.

Three clocks of the host are read together. The steady one stands still in a suspended host. The one since boot does
not (Linux; elsewhere the steady one stands in for it). In a virtual machine that was frozen both may stand still; then
the wall clock is put right afterwards, and its jump forward counts as time too, because it may have been a pause: of
two answers the older one wins. A wall clock that is put back makes nothing older or younger. What none of the clocks
shows is not seen here: only the clock of a terminal shows it.
Each look compares with the look before, so that clocks that drift or are slewed never run apart. Times are seconds.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

TOLERANCE_S = 0.5  # far more than a slewed wall clock gains between two looks
_TOGETHER_S = 0.05  # clocks that are read further apart say nothing about each other
_TRIES = 10


class Reading(NamedTuple):
    """The host's clocks at one moment; only their differences count."""

    steady_s: float
    boot_s: float
    wall_s: float


def _read_since_boot() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def read_clocks(
    steady: Callable[[], float] = time.monotonic,
    since_boot: Callable[[], float] = _read_since_boot,
    wall: Callable[[], float] = time.time,
) -> Reading:
    """Read the clocks of this host: again, where a busy computer let this process wait between two of them."""
    for _ in range(_TRIES):
        now = Reading(steady(), since_boot(), wall())
        if steady() - now.steady_s <= _TOGETHER_S:
            break
    return now


class HostClock:
    """One bridge's clock; it begins with the steady one. `jumps` counts how often the clocks ran apart."""

    def __init__(self, read: Callable[[], Reading] = read_clocks) -> None:
        self._read = read
        self._last = read()
        self._now_s = self._last.steady_s
        self.jumps = 0

    def now_s(self) -> float:
        """Look at the clocks, and return the time: it never goes back."""
        before, now = self._last, self._read()
        self._last = now
        passed_s = now.boot_s - before.boot_s
        has_jumped = passed_s - (now.steady_s - before.steady_s) > TOLERANCE_S
        if now.wall_s - before.wall_s - passed_s > TOLERANCE_S:
            passed_s, has_jumped = now.wall_s - before.wall_s, True
        self.jumps += has_jumped
        self._now_s += passed_s
        return self._now_s

    def steady_s(self) -> float:
        """Return the time of the steady clock."""
        return self._read().steady_s

    @property
    def ahead_s(self) -> float:
        """How far this clock was ahead of the steady one at the last look: all pauses so far."""
        return self._now_s - self._last.steady_s
