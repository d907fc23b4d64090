"""Lets the system have back what a password's hash or a long page took. Frees nothing itself.

glibc would keep it for the next time, in each thread. Blocks from 256 kB on get memory of their own instead, which goes
back when they are freed. Elsewhere than on glibc this does nothing.
"""

import ctypes

_M_MMAP_THRESHOLD = -3  # of mallopt(3)
_LARGE_BYTES = 256 * 1024


def give_back_large_blocks() -> None:
    """Have large blocks go back to the system as soon as they are freed, from now on, in the whole process."""
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, _LARGE_BYTES)
