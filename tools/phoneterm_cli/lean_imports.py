"""Keeps out of memory what no command uses. Does not change what any module does.

structlog loads rich, if it is installed, to print tracebacks with all local variables. No log of ours may show those,
and rich alone takes 4 MB of a running bridge.
"""

import sys
from importlib import import_module


def import_structlog_alone() -> None:
    """Import structlog as if rich were not installed; whoever imports rich later gets it."""
    if "rich" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]  # Python's own way to say that it cannot be imported
    try:
        import_module("structlog")
    finally:
        del sys.modules["rich"]
