"""The firmware compiles with the device's own compiler and is small enough for it."""

from pathlib import Path

import pytest
from firmware_build import sizes
from firmware_build.image import STARTED_AS_SOURCE, make_image

_FIRMWARE = Path(__file__).parents[2] / "firmware"


def test_all_compiled_modules_together_fit_the_device(tmp_path):
    make_image(_FIRMWARE, tmp_path)
    compiled = {str(path.relative_to(tmp_path)): path.stat().st_size for path in tmp_path.rglob("*.mpy")}
    assert {"phoneterm/app.mpy", "phoneterm/core/terminal.mpy", "phoneterm/device/mqtt.mpy"} <= compiled.keys()
    assert sum(compiled.values()) <= sizes.MOST_BYTES


def test_what_is_started_as_source_is_short_and_compiles(tmp_path):
    modules = {module.path: module.mpy_bytes for module in sizes.compile_all(_FIRMWARE, tmp_path)}
    assert sum(modules[name] for name in STARTED_AS_SOURCE) <= 4096


def test_a_module_that_does_not_compile_is_named(tmp_path):
    (tmp_path / "wrong.py").write_text("def broken(:\n    pass\n")
    with pytest.raises(sizes.CompileFailed, match=r"wrong.py does not compile: .*line 1"):
        sizes.compile_all(tmp_path, tmp_path / "out")
