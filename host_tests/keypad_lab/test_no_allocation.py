"""Polling allocates nothing on the real MicroPython VM: not idle, not with keys down, not while one settles."""

from pathlib import Path

import pytest
from firmware_build.slimming.modules import slim
from vm_program import run_program

_ROOT = Path(__file__).parents[2]
_MODULES = ("core/debounce", "core/scanner", "device/key_matrix", "device/key_sampler")

_PROGRAM = Path(__file__).parent / "vm_modules" / "no_allocation.py"


@pytest.mark.parametrize("is_slimmed", [False, True], ids=["source", "as a device gets it"])
def test_no_poll_allocates(is_slimmed, tmp_path):
    firmware = _ROOT / "firmware"
    if is_slimmed:
        paths = {f"phoneterm.{name.replace('/', '.')}": firmware / "phoneterm" / f"{name}.py" for name in _MODULES}
        texts = slim({name: path.read_text() for name, path in paths.items()}, [_PROGRAM.read_text()]).texts
        for name, text in texts.items():
            path = tmp_path / Path(*name.split(".")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        firmware = tmp_path
    lines = run_program(_PROGRAM, path=(_ROOT / "tools" / "labs" / "keypad_lab" / "vm", firmware), heap_kib=1024)
    steps = dict(line.split() for line in lines)
    assert len(steps) == 18
    assert {name: int(cost) for name, cost in steps.items() if int(cost)} == {}
