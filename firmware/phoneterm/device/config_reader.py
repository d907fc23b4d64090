"""Reads a config with code that is loaded in two pieces and unloaded again, which saves a tenth of the core's memory.

Does not know what a config means; `core/config.py` and `core/digit_map_compiler.py` do. `describe_cause` does the same
with the table of causes. Garbage is collected before
each piece and after the last; otherwise a heap that is nearly full is fragmented and has room for neither.
"""

import gc
import sys

from phoneterm.core import keymap

_LOADED = ("causes", "config", "digit_map_compiler", "digit_map_proof", "digit_map_text")  # of the core


def read_config(document, roles):
    """Return the result of core.config.read_config for a document; MemoryError when there is too little memory."""
    gc.collect()
    try:
        digit_map = _compile_map(document, roles)
        _forget()
        from phoneterm.core import config

        return config.read_config(document, roles, digit_map)
    finally:
        _forget()


def describe_cause(cause):
    """Return the result of core.causes.describe; MemoryError when there is too little memory."""
    gc.collect()
    try:
        from phoneterm.core import causes

        return causes.describe(cause)
    finally:
        _forget()


def _compile_map(document, roles):
    from phoneterm.core import digit_map_compiler

    return digit_map_compiler.compile_document(document, keymap.roles_of(document, roles))


def _forget():
    """Unload the code; what it has used is collected first, because the names take memory too."""
    gc.collect()
    core = sys.modules["phoneterm.core"]
    for name in _LOADED:
        sys.modules.pop("phoneterm.core." + name, None)
        if hasattr(core, name):
            delattr(core, name)
    gc.collect()
