"""Measures on the MicroPython VM the cost of one look at an idle keypad: ours, and packages that run on the same VM.

Does not judge keys. Pins are the same trivial Python class for all, so the difference is the libraries' own work;
waiting is left out. Times are microseconds of this machine; valgrind counts instructions where it is installed.
The packages are fetched by pip into a temporary folder; without a package index their lines say so.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from phoneterm import core

PACKAGES = ("DIYables-MicroPython-Keypad==0.1.0", "micropython-simple-keypad==1.0.3")
WAYS = {
    "ours: idle probe (all rows at once)": "probe",
    "ours: full scan (16 contacts)": "scan",
    "ours: whole idle poll, debouncer and all": "poll",
    f"{PACKAGES[0]}: get_key": "diyables",
    f"{PACKAGES[1]}: read_keypad": "simple",
}
_LOOKS = 20_000
_COUNTED_LOOKS = 2_000
_VM_FOLDER = Path(__file__).parent / "vm"
_FIRMWARE = Path(core.__file__).parents[2]


class Cost(NamedTuple):
    """The cost of one look; None where it could not be measured."""

    way: str
    look_us: float | None
    instructions: int | None


def measure() -> Iterator[Cost]:
    """Yield the cost of every way to look at the keypad."""
    with tempfile.TemporaryDirectory(prefix="keypad-packages-") as folder:
        for package in PACKAGES:
            _fetch(package, folder)
        path = os.pathsep.join([str(_VM_FOLDER), str(_FIRMWARE), folder, ".frozen"])
        empty_us = _time_us(path, "nothing", _LOOKS) or 0
        for name, way in WAYS.items():
            time_us = _time_us(path, way, _LOOKS)
            if time_us is None:
                yield Cost(name, None, None)
            else:
                yield Cost(name, (time_us - empty_us) / _LOOKS, _instructions(path, way))


def _fetch(package: str, folder: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, package]
    subprocess.run(command, capture_output=True, timeout=120, check=False)


def _run(prefix: list[str], path: str, way: str, count: int) -> subprocess.CompletedProcess[str]:
    vm = Path(sys.executable).with_name("micropython")
    command = [*prefix, sys.executable, str(vm), str(_VM_FOLDER / "look_cost.py"), way, str(count)]
    environment = dict(os.environ, MICROPYPATH=path)
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)


def _time_us(path: str, way: str, count: int) -> int | None:
    answer = _run([], path, way, count).stdout.strip()
    return int(answer) if answer.isdigit() else None


def _instructions(path: str, way: str) -> int | None:
    """Return the instructions of one look, from two runs, so that the VM's start cancels out."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return None
    prefix = [valgrind, "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    totals = [_counted(_run(prefix, path, way, count).stderr) for count in (0, _COUNTED_LOOKS)]
    return (totals[1] - totals[0]) // _COUNTED_LOOKS if all(totals) else None


def _counted(report: str) -> int:
    for line in report.splitlines():
        if "I   refs:" in line or "I refs:" in line:
            return int(line.rpartition(":")[2].strip().replace(",", ""))
    return 0
