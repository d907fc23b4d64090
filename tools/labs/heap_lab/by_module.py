"""Measures the cost of a start by module: how much each leaves on the heap of the 32-bit VM when it is imported.

Does not run the terminal. Modules are imported in the order of a real start. Objects that they make later (the
decoder's buffer, the tasks, a digit map) are not in these figures, nor are the pools of names, which double: 4.3 KB.
"""

import ast
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from firmware_build.image import make_image
from virtual_phone import vm
from virtual_phone.build import BOARD, FIRMWARE

_SCRIPT = Path(__file__).parent / "vm" / "by_module.py"
_FIRST = ("phoneterm.device.breadcrumb", "phoneterm.device.key_matrix", "phoneterm.assembly")
# Modules that are loaded when needed and unloaded afterwards.
DROPPED = {
    "phoneterm.assembly": "needed once, at the start",
    "phoneterm.device.settings": "needed once, at the start",
    "phoneterm.device.tls": "needed once, at the start",
    "phoneterm.core.config": "loaded for each configuration",
    "phoneterm.core.digit_map_compiler": "loaded for each configuration",
    "phoneterm.core.digit_map_text": "loaded for each configuration",
    "phoneterm.core.causes": "loaded for each cause that is told",
}
_OF_CHIP = ("asyncio", "machine", "machine_rest", "network", "esp32", "virtual_display", "board")
_NEEDED_LATER = ("phoneterm.device.clock", "phoneterm.device.wipe", "phoneterm.core.digit_map_proof")


def measure() -> dict[str, int]:
    """Return the bytes by module, in the order of the start."""
    modules = [name for name in _in_order() if name not in _NEEDED_LATER]
    with TemporaryDirectory(prefix="phoneterm-heap-") as folder:
        make_image(FIRMWARE, Path(folder))
        arguments = (folder, *_OF_CHIP, *modules)
        argv, environment = vm.command(_SCRIPT, 512, (vm.FAKE_MODULES, BOARD), arguments, 32)
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
    figures = dict(line.split() for line in done.stdout.splitlines())
    return {name: int(figures[name]) for name in modules}


def _in_order() -> list[str]:
    """Return the firmware's modules, each after those that it imports."""
    order: list[str] = []
    for name in _FIRST:
        _add(name, order)
    return order


def _add(name: str, order: list[str]) -> None:
    path = FIRMWARE / (name.replace(".", "/") + ".py")
    if name in order or not path.is_file():
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            for place in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                _add(place, order)
    order.append(name)
