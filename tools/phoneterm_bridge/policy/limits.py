"""How often: commands of one terminal in a minute, external transfers of the site in an hour and at once.

Does not know what is external, and does not switch anything off; it only counts. It calls `on_trip` once when the
site's hourly limit is reached, until `restore`. It calls `on_full` once for each other limit that is reached, until
there is room again. A limit of 0 means none. Times are monotonic seconds.
"""

from collections import deque
from collections.abc import Callable, Iterable

SITE = ""  # stands for the site where a terminal's id is expected
MINUTE_S = 60
HOUR_S = 3600


def is_full(times: deque[float], now_s: float, window_s: float, most: int) -> bool:
    """Say whether the window that ends now is full; older times are removed."""
    while times and times[0] <= now_s - window_s:
        times.popleft()
    return 0 < most <= len(times)


class Limits:
    """The counts of one site."""

    def __init__(
        self,
        commands_per_minute: int,
        external_per_hour: int,
        external_at_once: int,
        on_trip: Callable[[], None],
        on_full: Callable[[str], None] | None = None,
    ) -> None:
        """on_full gets the terminal that sends too many commands, or SITE for too many external transfers at once."""
        self._commands_per_minute = commands_per_minute
        self._external_per_hour = external_per_hour
        self._external_at_once = external_at_once
        self._on_trip = on_trip
        self._commands: dict[str, deque[float]] = {}
        self._external: deque[float] = deque()
        self._is_tripped = False
        self._on_full = on_full
        self._full: set[str] = set()

    def count_command(self, tid: str, now_s: float) -> bool:
        """Say whether a terminal's command is one too many; if not, it counts."""
        times = self._commands.setdefault(tid, deque())
        if is_full(times, now_s, MINUTE_S, self._commands_per_minute):
            self._note_full(tid)
            return True
        self._full.discard(tid)
        if self._commands_per_minute:
            times.append(now_s)
        return False

    def count_external(self, now_s: float, under_way: int) -> str | None:
        """Return why one more external transfer is too many; if it is not, it counts."""
        if is_full(self._external, now_s, HOUR_S, self._external_per_hour):
            if not self._is_tripped:
                self._is_tripped = True
                self._on_trip()
            return "external-per-hour"
        if 0 < self._external_at_once <= under_way:
            self._note_full(SITE)
            return "external-at-once"
        self._full.discard(SITE)
        if self._external_per_hour:
            self._external.append(now_s)
        return None

    def recall(self, times: Iterable[float]) -> None:
        """Count the external transfers of an earlier run."""
        self._external.extend(sorted(times))

    def restore(self) -> None:
        """Restart the site's hour."""
        self._external.clear()
        self._is_tripped = False

    def _note_full(self, who: str) -> None:
        if who not in self._full:
            self._full.add(who)
            if self._on_full is not None:
                self._on_full(who)
