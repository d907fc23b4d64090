"""What time it is, for what is kept and told: by the host's wall clock, which may be put right at any moment.

A length that decides something is measured with the event loop's clock or `terminals.host_clock`, unless it may have
begun before this process. The lengths in the journal and in metrics are measured with it: a clock that is set shows.
"""

import time


def now_ms() -> int:
    """Return the time in milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000
