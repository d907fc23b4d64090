"""What time it is, for what is kept and told: by the host's wall clock, which may be put right at any moment.

How long something takes is never measured with it; the event loop's clock and `terminals.host_clock` do that.
"""

import time


def now_ms() -> int:
    """Return the time in milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000
