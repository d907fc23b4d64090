"""Runs every test of the pure core once more, on the real MicroPython VM."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_FILES = sorted((_HERE / "core").glob("test_*.py"))


@pytest.mark.parametrize("path", _FILES, ids=[path.stem for path in _FILES])
def test_core_behaves_the_same_on_micropython(path):
    interpreter = Path(sys.executable).with_name("micropython")
    search_path = os.pathsep.join([str(_HERE.parent / "firmware"), str(_HERE), ".frozen"])
    done = subprocess.run(
        [str(interpreter), "-X", "heapsize=2M", str(_HERE / "micropython_runner.py"), str(path.parent), path.stem],
        capture_output=True,
        text=True,
        env=dict(os.environ, MICROPYPATH=search_path),
        timeout=60,
    )
    lines = done.stdout.splitlines()
    expected = sum(line.startswith("def test_") for line in path.read_text().splitlines())
    assert done.returncode == 0, done.stdout + done.stderr
    assert not [line for line in lines if line.startswith("failed ")], done.stdout
    assert lines[-1] == f"ran {expected}", done.stdout
    assert expected > 0
