"""What terminals say in their hello of crashes and of safe mode: one log line for each start, and counts.

Does not keep the reasons and decides nothing. `crashes` counts the starts after a crash that this bridge has heard of;
`in_safe_mode` has the boot of each terminal that last said hello from safe mode, which a request to it must name.
"""

import structlog

from phoneterm_bridge.logs import shorten


class CrashReports:
    """One bridge's knowledge; as many entries as there are terminals at most."""

    def __init__(self) -> None:
        self.crashes = 0
        self.in_safe_mode: dict[str, str] = {}
        self._told: dict[str, str] = {}

    def take(self, tid: str, hello: dict) -> bool:
        """Take a hello, which is repeated at every connection; say whether the terminal is in safe mode."""
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
        if is_new:
            structlog.get_logger().warning("terminal-in-safe-mode", reason=shorten(hello["safe"]), **words)
        return True
