"""The bridge's commands below `phoneterm`: `bridge`, `config`, `store`, `terminal`, `user`, ...

Each is imported only when it is used: they need many modules, and not all the same ones.
"""

from importlib import import_module
from typing import Any

_PARTS = {
    f"{name}_app": (name, "app")
    for name in ("bridge", "broker", "config", "console", "journal", "policy", "store", "terminal", "tls", "user")
}


def __getattr__(name: str) -> Any:
    """Return the command with this name."""
    if name not in _PARTS:
        raise AttributeError(name)
    module, attribute = _PARTS[name]
    return getattr(import_module(f"phoneterm_bridge.cli.{module}"), attribute)
