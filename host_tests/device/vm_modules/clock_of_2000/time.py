"""A time module whose clock is where a chip's is after a power cut: at the beginning of 2000.

Does not let the clock be set.
"""

import utime
from utime import *  # noqa: F403

_BEGAN_S = utime.time()


def time():
    """Return the seconds since the port's own epoch."""
    return utime.mktime((2000, 1, 1, 0, 0, 0, 0, 0)) + utime.time() - _BEGAN_S
