"""The bridge's command lines, as they hang below `phoneterm`: `bridge`, `config`, `store`, `terminal`, `user`, ...

Each is imported when it is asked for: they need much, and not all the same.
"""

from importlib import import_module
from typing import Any

_PARTS = {
    f"{name}_app": (name, "app")
    for name in ("bridge", "broker", "config", "journal", "policy", "store", "terminal", "user")
}


def __getattr__(name: str) -> Any:
    """Return the command line with this name."""
    if name not in _PARTS:
        raise AttributeError(name)
    module, attribute = _PARTS[name]
    return getattr(import_module(f"phoneterm_bridge.cli.{module}"), attribute)
