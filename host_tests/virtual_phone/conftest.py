"""Starts virtual phones with small firmwares of the tests' own, which say what they see in their log."""

import asyncio
import time
from collections import namedtuple

import pytest
from virtual_phone.client import PhoneClient
from virtual_phone.phone import VirtualPhone

# Prints every change of the keypad with the chip's own time.
KEY_LOGGER = """
import time
import board
from machine import Pin

rows = [Pin(number, Pin.OPEN_DRAIN, Pin.PULL_UP, value=1) for number in board.ROWS]
columns = [Pin(number, Pin.IN, Pin.PULL_UP) for number in board.COLUMNS]

def scan():
    contacts = 0
    for row in range(4):
        rows[row].value(0)
        for column in range(4):
            if not columns[column].value():
                contacts |= 1 << row * 4 + column
        rows[row].value(1)
    return contacts

print("started")
last = 0
while True:
    contacts = scan()
    if contacts != last:
        last = contacts
        print("keys", "%04x" % contacts, time.ticks_ms())
    time.sleep_ms(1)
"""

Bench = namedtuple("Bench", ("phone", "client"))


async def _until(is_so, what, deadline_s=20):
    """Wait until a condition holds; fail naming it when it does not in time."""
    deadline = time.monotonic() + deadline_s
    while not is_so():
        assert time.monotonic() < deadline, f"not within {deadline_s} s: {what}"
        await asyncio.sleep(0.005)


async def _until_logged(phone, line, count=1):
    """Wait until the firmware has written a line that often."""
    await _until(lambda: list(phone.log_lines).count(line) >= count, f"{line!r} in {list(phone.log_lines)}")


@pytest.fixture
def until():
    """Return the coroutine function until(condition, what, deadline_s)."""
    return _until


@pytest.fixture
def until_logged():
    """Return the coroutine function until_logged(phone, line, count)."""
    return _until_logged


@pytest.fixture
def write_firmware(tmp_path):
    """Return a function that writes a firmware of one main.py and returns its folder."""

    def write(text):
        folder = tmp_path / "firmware"
        folder.mkdir(exist_ok=True)
        (folder / "main.py").write_text(text)
        return folder

    return write


@pytest.fixture
async def start_phone(write_firmware):
    """Return a coroutine that starts a phone with the given main.py and gives it and a client of it."""
    benches = []

    async def start(main, settings=None, **options):
        phone = VirtualPhone(settings or {"tid": "desk-101"}, firmware=write_firmware(main), **options)
        await phone.start()
        bench = Bench(phone, await PhoneClient.connect("127.0.0.1", phone.control_port))
        benches.append(bench)
        return bench

    yield start
    for bench in benches:
        await bench.client.close()
        await bench.phone.stop()


@pytest.fixture
async def key_logger(start_phone):
    """Return a phone, and a client of it, whose firmware writes `keys CONTACTS TICKS_MS` at every change."""
    bench = await start_phone(KEY_LOGGER)
    await _until_logged(bench.phone, "started")
    return bench
