"""Reads the version of the firmware, and names the MicroPython it needs.

Does not run the firmware.
"""

import ast
from pathlib import Path

OLDEST_MICROPYTHON = "1.27"  # what runs on the emulated ESP32; the virtual phone has 1.29
_PLACE = "phoneterm/__init__.py"


class VersionMissing(Exception):
    """The firmware does not say its version; the sentence names where it should."""


def read_version(firmware: Path) -> str:
    """Return the version of the firmware in a folder, such as "0.1.0"."""
    path = firmware / _PLACE
    for node in ast.parse(path.read_text()).body if path.is_file() else ():
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            names = {target.id for target in node.targets if isinstance(target, ast.Name)}
            if "VERSION" in names:
                return str(node.value.value)
    raise VersionMissing(f"The firmware in {firmware} does not say its version (VERSION) in {_PLACE}")
