"""Which of some processes still run after a while. Does not end any."""

import time

import psutil

_LOOK_S = 0.05


def left_running(processes, most_s):
    """Wait until all of them have ended, `most_s` seconds at most; return those that have not.

    One that has ended and is not yet taken notice of by its parent, which may be the machine's first process, has
    ended.
    """
    end = time.monotonic() + most_s
    while (left := [process for process in processes if _is_alive(process)]) and time.monotonic() < end:
        time.sleep(_LOOK_S)
    return left


def _is_alive(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
