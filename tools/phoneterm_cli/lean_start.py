"""Keeps a command's process small, above all a bridge's, which runs for months. Does not change what any module does.

structlog loads rich, if it is installed, to print tracebacks with all local variables. No log of ours may show those,
and rich takes 4 MB.

glibc keeps freed memory for the next time, in a pool for each thread: what loading the modules, a password's hash or a
long page took once would stay taken. With one pool for all threads, which Python's lock lets in one by one anyway, and
with large blocks that go back at once, a bridge whose console has 20 pages open takes some 10 MB less. Elsewhere than
on glibc there is no such option.
"""

import ctypes
import sys
from importlib import import_module

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # of mallopt(3)
_LARGE_BYTES = 128 * 1024


def start_lean() -> None:
    """Do both, before anything large is loaded and before there is a second thread."""
    _give_back_memory()
    _import_structlog_alone()


def _give_back_memory() -> None:
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_M_ARENA_MAX, 1)
        set_option(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def _import_structlog_alone() -> None:
    """Import structlog as if rich were not installed; whoever imports rich later gets it."""
    if "rich" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]  # Python's own way to say that it cannot be imported
    try:
        import_module("structlog")
    finally:
        del sys.modules["rich"]
