"""Reads which version the firmware says it is, and says which MicroPython it needs.

Does not run the firmware.
"""

import ast
from pathlib import Path

OLDEST_MICROPYTHON = "1.28"  # what the firmware is tried with is 1.29; 1.28 has all that it calls
_NAMES = ("VERSION", "FIRMWARE_VERSION")
_PLACES = ("phoneterm/__init__.py", "phoneterm/assembly.py")


class VersionMissing(Exception):
    """The firmware does not say its version; the sentence names where it should."""


def read_version(firmware: Path) -> str:
    """Return the version of the firmware in a folder, such as "0.1.0"."""
    for place in _PLACES:
        path = firmware / place
        for node in ast.parse(path.read_text()).body if path.is_file() else ():
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                names = {target.id for target in node.targets if isinstance(target, ast.Name)}
                if names & set(_NAMES):
                    return str(node.value.value)
    raise VersionMissing(f"The firmware in {firmware} does not say its version in {' or '.join(_PLACES)}")
