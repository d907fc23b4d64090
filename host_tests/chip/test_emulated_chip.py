"""Programs that are no emulator, and tools that it needs: one sentence each. No chip runs here."""

import asyncio
import contextlib
import os
import socket
import time

import psutil
import pytest
from attack_lab.scenery.waiting import until
from chip_lab.cli import app
from chip_lab.emulated_chip import EmulatedChip
from chip_lab.qmp import EmulatorRefused
from chip_lab.tls import TIME_PORT, TimeServer, TimeServerFailed
from left_running import left_running
from typer.testing import CliRunner


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("exit 0", "the emulator did not start"),
        ("echo libslirp.so.0 missing >&2; exit 5", "libslirp.so.0 missing"),
    ],
)
async def test_a_program_that_ends_at_once_is_told_in_its_own_words(tmp_path, script, sentence):
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    slot = os.open(tmp_path / "slot", os.O_RDWR | os.O_CREAT)
    try:
        chip = EmulatedChip(lambda data: None, lambda code: None)
        with pytest.raises(EmulatorRefused, match=sentence):
            await chip.power_on(program, tmp_path / "flash.bin", slot, 0, False)
        assert chip.pid is None
    finally:
        os.close(slot)


@pytest.mark.parametrize("is_early", [True, False], ids=["while it starts", "once it runs"])
async def test_what_a_program_has_started_ends_with_it(tmp_path, is_early):
    program, flash = tmp_path / "program", tmp_path / "flash.bin"
    program.write_text('#!/bin/sh\nsleep 600 &\necho $! > "$1".part\nmv "$1".part "$1"\nwait\n')
    program.chmod(0o755)
    slot = os.open(tmp_path / "slot", os.O_RDWR | os.O_CREAT)
    try:
        chip = EmulatedChip(lambda data: None, lambda code: None)
        starting = asyncio.create_task(chip.power_on(program, flash, slot, 0, False))
        for _ in range(3):
            await asyncio.sleep(0)  # one turn makes the task, one the process
        while is_early and not flash.exists():
            time.sleep(0.01)  # noqa: ASYNC251 - asyncio must not hear that the process has started
        await until(flash.exists)
        child = psutil.Process(int(flash.read_text()))
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
        alive = left_running([child], 10)
        for left in alive:
            left.kill()
        assert not alive
    finally:
        os.close(slot)


async def test_a_time_server_that_cannot_have_its_port_is_one_sentence():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(TimeServerFailed, match=r"cannot start \(.*\): run this as root, or leave TLS out"):
            await TimeServer.start(taken.getsockname()[1])


def test_a_bench_with_tls_that_cannot_have_the_time_servers_port_ends_before_it_measures():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        with contextlib.suppress(PermissionError):  # then the bench may not have it either
            taken.bind(("127.0.0.1", TIME_PORT))
        ended = CliRunner().invoke(app, ["bench"], env={"ESP32_CHIP": "/nowhere"})
    assert (ended.exit_code, ended.output[:29]) == (1, "The time server cannot start ")
