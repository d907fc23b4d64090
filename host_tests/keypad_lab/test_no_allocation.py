"""Polling allocates nothing on the real MicroPython VM: not idle, not with keys down, not while one settles."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from firmware_build.slimming import slim

_ROOT = Path(__file__).parents[2]
_MODULES = ("core/debounce", "core/scanner", "device/key_matrix", "device/key_sampler")

_PROGRAM = """
import gc
from machine import Pin
from phoneterm.core.debounce import Debouncer
from phoneterm.core.scanner import Scanner
from phoneterm.device.key_matrix import KeyMatrix
from phoneterm.device.key_sampler import KeySampler

class Keypad:
    contacts = 0
    def probe(self):
        return self.contacts != 0
    def scan(self):
        return self.contacts

def cost(scanner, polls):
    before = gc.mem_alloc()
    for _ in range(polls):
        scanner.poll(1000)
    return gc.mem_alloc() - before

_ = before = matrix = timer = sampler = contacts = name = polls = None  # a name that is new costs memory
keypad = Keypad()
scanner = Scanner(keypad, Debouncer())
gc.collect()
gc.disable()
print("start", cost(scanner, 3))
for name, contacts, polls in (
    ("idle", 0, 1000), ("spike", 1, 1), ("forgotten", 0, 20), ("press", 1, 5), ("held", 1, 1000), ("bounce", 0, 5),
    ("again", 1, 5), ("ghost", 0x33, 50), ("many", 0xFFFF, 50), ("release", 0, 50), ("stuck", 2, 31000),
    ("beside", 6, 50), ("working", 0, 50),
):
    keypad.contacts = contacts
    print(name, cost(scanner, polls))
matrix = KeyMatrix(Pin, (1, 2, 3, 4), (5, 6, 7, 8), 10, lambda us: None)
before = gc.mem_alloc()
for _ in range(100):
    matrix.probe()
    matrix.scan()
print("matrix", gc.mem_alloc() - before)
class Timer:
    def init(self, mode, period, callback):
        self.callback = callback
class Clock:
    us = 0
    def ticks_us(self):
        self.us += 1000
        return self.us
    def ticks_ms(self):
        return self.us // 1000
    def ticks_diff(self, later, earlier):
        return later - earlier
class Flag:
    def set(self):
        pass
timer = Timer()
sampler = KeySampler(scanner, timer, Clock(), Flag())
sampler.start()
timer.callback(timer)
before = gc.mem_alloc()
for contacts in (0, 1, 0, 0x33, 0):
    keypad.contacts = contacts
    for _ in range(50):
        timer.callback(timer)
while sampler.next_change() is not None:
    pass
print("sampler", gc.mem_alloc() - before)
before = gc.mem_alloc()
scanner.gaps.percentile_ms(50)
scanner.gaps.percentile_ms(99)
scanner.gaps.longest_ms()
scanner.gaps.clear()
print("gaps", gc.mem_alloc() - before)
print("end", scanner.poll(1000))
"""


@pytest.mark.parametrize("is_slimmed", [False, True], ids=["source", "as a device gets it"])
def test_no_poll_allocates(is_slimmed, tmp_path):
    firmware = _ROOT / "firmware"
    if is_slimmed:
        paths = {f"phoneterm.{name.replace('/', '.')}": firmware / "phoneterm" / f"{name}.py" for name in _MODULES}
        texts = slim({name: path.read_text() for name, path in paths.items()}, [_PROGRAM]).texts
        for name, text in texts.items():
            path = tmp_path / Path(*name.split(".")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        firmware = tmp_path
    search_path = [str(_ROOT / "tools" / "labs" / "keypad_lab" / "vm"), str(firmware), ".frozen"]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("micropython")), "-c", _PROGRAM],
        capture_output=True,
        text=True,
        env=dict(os.environ, MICROPYPATH=os.pathsep.join(search_path)),
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    steps = dict(line.split() for line in done.stdout.splitlines())
    assert len(steps) == 18
    assert {name: int(cost) for name, cost in steps.items() if int(cost)} == {}
