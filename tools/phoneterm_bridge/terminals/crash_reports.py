"""What terminals report in their hello about crashes and safe mode: one log line for each start, and counts.

Does not keep the reasons and decides nothing. `crashes` counts the starts after a crash that this bridge has heard of.
`in_safe_mode` has the boot of each terminal that last said hello from safe mode; a request to it must name that boot.
Such a terminal says hello every 20 s, and only missing hellos show that it has gone.
"""

import time
from collections.abc import Callable

import structlog

from phoneterm_bridge.wording.logs import shorten

_MOST_SILENT_S = 65  # up to three hellos can be lost or late


class CrashReports:
    """The reports that one bridge has heard; at most one entry for each terminal."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._heard_s: dict[str, float] = {}
        self.crashes = 0
        self.in_safe_mode: dict[str, str] = {}
        self._told: dict[str, str] = {}

    def boot_in_safe_mode(self, tid: str) -> str | None:
        """Return the boot of a terminal that is in safe mode and was heard from lately."""
        is_near = self._now_s() - self._heard_s.get(tid, 0) <= _MOST_SILENT_S
        return self.in_safe_mode.get(tid) if is_near else None

    def add_hello(self, tid: str, hello: dict) -> bool:
        """Take a hello, which is repeated at every connection; return whether the terminal is in safe mode."""
        is_new = self._told.get(tid) != hello["boot"]
        self._told[tid] = hello["boot"]
        words = {"tid": tid, "boot": hello["boot"], "firmware": hello["fw"]}
        if is_new and hello["crash"] is not None:
            self.crashes += 1
            structlog.get_logger().warning("terminal-crashed", crash=shorten(hello["crash"]), **words)
        if hello["safe"] is None:
            self.in_safe_mode.pop(tid, None)
            return False
        self.in_safe_mode[tid] = hello["boot"]
        self._heard_s[tid] = self._now_s()
        if is_new:
            structlog.get_logger().warning("terminal-in-safe-mode", reason=shorten(hello["safe"]), **words)
        return True
