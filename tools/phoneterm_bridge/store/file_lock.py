"""Locks an open file against other processes, where the system can: Linux and macOS. Does not open or close it.

Windows has no such locks, and so no stores; what needs no store, such as flashing a board, works there.
"""

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

from phoneterm_bridge.settings.problem import SetupProblem


def try_lock(file: int, is_shared: bool) -> bool:
    """Lock a file shared or exclusively until it is closed, and say whether that worked.

    SetupProblem on a system without locks.
    """
    if fcntl is None:
        raise SetupProblem("This system cannot lock files, so it can hold no store: use Linux or macOS for that.")
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
