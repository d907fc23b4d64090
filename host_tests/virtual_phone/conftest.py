"""Starts virtual phones with the tests' own small firmwares, which log what they see."""

import asyncio
import time
from collections import namedtuple
from pathlib import Path

import pytest
from virtual_phone.build import Build
from virtual_phone.client import PhoneClient
from virtual_phone.phone import VirtualPhone

PROGRAMS = Path(__file__).parent / "vm_modules"

Bench = namedtuple("Bench", ("phone", "client"))


async def _until(is_so, what, deadline_s=20):
    """Wait until a condition is true; fail with its name if that takes too long."""
    deadline = time.monotonic() + deadline_s
    while not is_so():
        assert time.monotonic() < deadline, f"not within {deadline_s} s: {what}"
        await asyncio.sleep(0.005)


async def _until_logged(phone, line, count=1):
    """Wait until the firmware has written a line this many times."""
    await _until(lambda: list(phone.log_lines).count(line) >= count, f"{line!r} in {list(phone.log_lines)}")


@pytest.fixture
def until():
    """Return the coroutine function until(condition, what, deadline_s)."""
    return _until


@pytest.fixture
def until_logged():
    """Return the coroutine function until_logged(phone, line, count)."""
    return _until_logged


def _read(program):
    return (PROGRAMS / f"{program}.py").read_text()


@pytest.fixture
def write_firmware(tmp_path):
    """Return a function that writes a firmware and returns its folder.

    `main` and `boot` are programs of `vm_modules`; `text` is a main.py that is not worth a file.
    """

    def write(main=None, *, boot=None, text=""):
        folder = tmp_path / "firmware"
        folder.mkdir(exist_ok=True)
        (folder / "main.py").write_text(_read(main) if main else text)
        if boot:
            (folder / "boot.py").write_text(_read(boot))
        return folder

    return write


@pytest.fixture
async def start_phone(write_firmware):
    """Return a coroutine that starts a phone with the given programs and returns it with a client."""
    benches = []

    async def start(main=None, settings=None, *, boot=None, text="", access_point=None, **more):
        build = Build(write_firmware(main, boot=boot, text=text), **more)
        phone = VirtualPhone(settings or {"tid": "desk-101"}, build=build, access_point=access_point)
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
    bench = await start_phone("key_logger")
    await _until_logged(bench.phone, "started")
    return bench
