"""Reads a config with code that is loaded for it, in two pieces, and forgotten again: a tenth of the core's memory.

Does not know what a config means; `core/config.py` and `core/digit_map_text.py` do.
"""

import sys

from phoneterm.core import digit_map, keymap

_LOADED = (  # modules, whole and as names of their package
    ("phoneterm.core.config", "config"),
    ("phoneterm.core.digit_map_proof", "digit_map_proof"),
    ("phoneterm.core.digit_map_text", "digit_map_text"),
)


def read_config(document, roles):
    """Return what core.config.read_config makes of a document; MemoryError when the memory is too short for it."""
    try:
        compiled = digit_map.compile_document(document, keymap.roles_of(document, roles))
        _forget()
        from phoneterm.core import config

        return config.read_config(document, roles, compiled)
    finally:
        _forget()


def _forget():
    """Let go of the code, without taking memory for that."""
    core = sys.modules["phoneterm.core"]
    for module, name in _LOADED:
        sys.modules.pop(module, None)
        if hasattr(core, name):
            delattr(core, name)
