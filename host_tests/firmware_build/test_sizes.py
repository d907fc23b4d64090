"""The firmware compiles with the device's own compiler and is small enough for it."""

from pathlib import Path

import pytest
from firmware_build import sizes

_FIRMWARE = Path(__file__).parents[2] / "firmware"


def test_all_modules_together_fit_the_device(tmp_path):
    modules = sizes.compile_all(_FIRMWARE, tmp_path)
    assert {"main.py", "phoneterm/app.py", "phoneterm/core/terminal.py"} <= {module.path for module in modules}
    assert sum(module.mpy_bytes for module in modules) <= sizes.MOST_BYTES


def test_a_module_that_does_not_compile_is_named(tmp_path):
    (tmp_path / "wrong.py").write_text("def broken(:\n    pass\n")
    with pytest.raises(sizes.CompileFailed, match=r"wrong.py does not compile: .*line 1"):
        sizes.compile_all(tmp_path, tmp_path / "out")
