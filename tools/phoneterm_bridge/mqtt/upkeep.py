"""When a connection must send a ping, and when its silent peer counts as gone. Does no input or output.

Time is counted in parts of a keepalive during which this process really ran, not by a clock. So an event loop that was
held up for long first reads what its peer sent meanwhile, and does not mistake its own absence for the peer's silence.
"""

import asyncio
from collections.abc import Callable

_PARTS = 8  # of a keepalive
_PING_PARTS = 4
_MOST_SILENT_PARTS = 12


class Upkeep:
    """The upkeep of one connection; its owner sets `quiet_parts` to 0 when it writes, `silent_parts` when it receives.

    `part` is the number of the present part. A keepalive of 0 s means none, and nothing is done.
    """

    def __init__(
        self, keepalive_s: float, ping: Callable[[], None], cut: Callable[[str], None], owed_since: Callable[[], int]
    ) -> None:
        """ping: called when something should be written; cut: with the reason, when the peer counts as gone.

        owed_since: returns the part in which the oldest unacknowledged packet was written.
        """
        self.part = 0
        self.quiet_parts = 0
        self.silent_parts = 0
        self._owed_since = owed_since
        self._part_s = keepalive_s / _PARTS
        self._ping = ping
        self._cut = cut
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start counting."""
        if self._part_s:
            self._timer = asyncio.get_running_loop().call_later(self._part_s, self._count)

    def stop(self) -> None:
        """Stop counting."""
        if self._timer is not None:
            self._timer.cancel()

    def _count(self) -> None:
        self.part += 1
        self.quiet_parts += 1
        self.silent_parts += 1
        if self.silent_parts >= _MOST_SILENT_PARTS:
            self._cut(f"it has said nothing for {self._part_s * self.silent_parts:g} s")
            return
        owed_parts = self.part - self._owed_since()
        if owed_parts > _MOST_SILENT_PARTS:
            self._cut(f"it has not acknowledged a message for {self._part_s * (owed_parts - 1):g} s")
            return
        if self.quiet_parts >= _PING_PARTS or self.silent_parts == _PING_PARTS:
            self._ping()
        self.start()
