"""When to look at VoipNow's calls next: at the rate of the settings, faster for a result, slower in trouble.

Does not wait or look. In trouble the pause doubles with each try, up to a limit; when VoipNow says how long to wait
("too many requests"), that counts, for whatever it would be asked. Times are seconds.
"""

import time
from collections.abc import Callable

_MOST_PAUSE_S = 30.0
_FOR_RESULT_S = 0.25
_HINT_EVERY_S = 0.2


class Rhythm:
    """The pauses between looks; usual_s: when all is well. clock: monotonic seconds."""

    def __init__(self, usual_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """All is well."""
        self._usual_s = usual_s
        self._clock = clock
        self._quiet_until_s = 0.0
        self._failures = 0
        self._told_s: float | None = None

    def note_success(self) -> None:
        """A look has worked."""
        self._failures, self._told_s = 0, None

    def note_failure(self, told_s: float | None = None) -> None:
        """A look has failed; told_s: for how long VoipNow does not want to be asked, if it says so."""
        self._failures += 1
        self._told_s = told_s
        if told_s is not None:
            self._quiet_until_s = max(self._quiet_until_s, self._clock() + told_s)

    @property
    def quiet_s(self) -> float:
        """For how long VoipNow still does not want to be asked at all; 0 when it may be."""
        return max(0.0, self._quiet_until_s - self._clock())

    @property
    def is_in_trouble(self) -> bool:
        """Say whether the last look has failed."""
        return self._failures > 0

    def hint_pause_s(self, took_s: float) -> float:
        """Return how long after one look that an event has caused the next may begin; took_s: how long a look takes."""
        return max(_HINT_EVERY_S, took_s)

    def pause_s(self, waits_for_result: bool) -> float:
        """Return how long to wait now; waits_for_result: something was asked for, and no list shows it yet."""
        if self._told_s is not None:
            return max(self._told_s, self._usual_s)
        if self._failures:
            return min(self._usual_s * 2.0 ** min(self._failures, 16), max(_MOST_PAUSE_S, self._usual_s))
        return min(self._usual_s, _FOR_RESULT_S) if waits_for_result else self._usual_s
