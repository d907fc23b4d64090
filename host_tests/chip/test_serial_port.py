"""The cable to a board, tested on an emulated ESP32: a serial port at the speed of a real one, flash and NVS."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from attack_lab.scenery.fake_pbx import FakePbx
from chip_lab.phone import ACCESS_POINT, BOARD, FIRMWARE, HOST_AS_SEEN, ChipPhone
from firmware_build.board_image import build_image
from phoneterm_bridge.service import Bridge
from phoneterm_bridge.settings.bridge import load_settings
from phoneterm_bridge.store import reading
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory

from chip.conftest import BACK_S

pytestmark = pytest.mark.timeout(900)
_COMMAND = Path(sys.executable).with_name("phoneterm")
_BOARDS = BOARD.parent
_WIFI = {"PHONETERM_WIFI_SSID": ACCESS_POINT, "PHONETERM_WIFI_PASSWORD": ""}
_TID = "phone-101"
_WAIT_S = str(BACK_S)


class Bench:
    """A board at a cable, a bridge with its store, and the commands for both; `phoneterm device` runs as a process."""

    def __init__(self, folder):
        self.folder = folder
        self.config = folder / "bridge.toml"
        self.config.write_text('[broker]\nport = 0\nallow_plain = true\n[store]\npath = "bridge.db"\n')
        self.board = None
        self.bridge = None

    async def plug_in(self, **options):
        """Connect a board to the cable; without options it has only MicroPython."""
        self.board = ChipPhone({}, **options)
        await self.board.start()

    async def start_bridge(self):
        settings = load_settings(self.config)
        self.engine = open_store(settings.store.path)
        directory = Directory(self.engine, "test")
        directory.add_user("tech1", True)
        directory.add_extension("101", "tech1")
        self.bridge = Bridge(settings, FakePbx())
        await self.bridge.start()

    async def stop(self):
        if self.board is not None:
            await self.board.stop()
        if self.bridge is not None:
            await self.bridge.stop()
            self.engine.dispose()

    def record(self):
        return reading.read_snapshot(self.engine).terminals.get(_TID)

    async def device(self, command, *options, exit_code=0):
        """Run a command at the board's port; return what it printed."""
        process = await self.begin(command, *options)
        output = (await process.communicate())[0].decode()
        assert process.returncode == exit_code, output + "\n".join(list(self.board.log_lines)[-20:])
        return output

    async def begin(self, command, *options):
        arguments = ["device", command, "--port", self.board.port, *options]
        if command in ("flash", "provision", "rotate", "smoke"):
            arguments += ["--board", BOARD.name, "--boards", str(_BOARDS)]
        if command in ("provision", "rotate"):
            arguments += ["--config", str(self.config), "--set", f"broker.port={self.bridge.broker_port}"]
        return await asyncio.create_subprocess_exec(
            _COMMAND, *arguments, cwd=self.folder, env=os.environ | _WIFI,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip


@pytest.fixture
async def bench(need_chip, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bench = Bench(tmp_path)
    yield bench
    await bench.stop()


async def test_an_empty_board_gets_the_firmware_and_each_of_its_files_is_proven(bench):
    image = build_image(BOARD, FIRMWARE, bench.folder / "build/firmware")
    await bench.plug_in(has_firmware=False)
    printed = await bench.device("flash", "--wait", _WAIT_S)
    assert f"{len(image.files)} files copied" in printed
    assert f"all {len(image.files)} files have the right SHA-256" in printed
    assert "The terminal runs and is not set up yet" in printed
    printed = await bench.device("flash", "--wait", _WAIT_S)
    assert "0 files copied (0 bytes)" in printed


async def test_a_board_becomes_a_terminal_gets_new_keys_and_forgets_them(bench):
    await bench.start_bridge()
    await bench.plug_in()
    provision = ("--extension", "101", "--mqtt-host", HOST_AS_SEEN, "--wait", _WAIT_S)
    printed = await bench.device("provision", *provision)
    assert "The board is phone-101, the terminal of extension 101" in printed
    assert "The terminal is ready: its bridge and the PBX are there." in printed
    before = bench.record()
    printed = await bench.device("rotate", "--wait", _WAIT_S)
    assert "phone-101 has new keys, on the board and in the store" in printed
    assert "The terminal is ready: its bridge and the PBX are there." in printed
    assert bench.record().key != before.key
    printed = await bench.device("wipe", "--yes")
    assert "The board has no settings any more." in printed
    await _until(lambda: any("provision this terminal" in line for line in bench.board.log_lines))


async def test_whoever_attaches_to_a_board_that_has_said_all_hears_it_again(bench):
    await bench.plug_in()
    await _until(lambda: any("provision this terminal" in line for line in bench.board.log_lines))
    boots = list(bench.board.log_lines).count("MPY: soft reboot")
    for _ in range(2):
        logs = await bench.begin("logs")
        async with asyncio.timeout(BACK_S):
            while b"provision this terminal" not in (line := await logs.stdout.readline()):
                assert line, "make logs ended"
        logs.terminate()
        await logs.wait()
    assert list(bench.board.log_lines).count("MPY: soft reboot") == boots


async def test_logs_are_heard_and_the_keys_are_tried_on_the_board(bench):
    await bench.start_bridge()
    await bench.plug_in()
    await bench.device("provision", "--extension", "101", "--mqtt-host", HOST_AS_SEEN, "--wait", _WAIT_S)
    logs = await bench.begin("logs")
    await bench.board.power.restart("button")
    async with asyncio.timeout(BACK_S):
        while not (line := await logs.stdout.readline()).startswith(b"link-up"):
            assert line, "make logs ended"
    logs.terminate()
    await logs.wait()
    smoke = await bench.begin("smoke", "--to", str(bench.folder / "smoke"))
    printed = await _press_what_is_asked_for(bench.board, smoke)
    assert smoke.returncode == 0, printed
    (saved,) = (bench.folder / "smoke").glob("*.json")
    found = json.loads(saved.read_text())
    assert set(found["keys"].values()) == {"ok"}
    assert found["figures"]["wifi_ms"]["value"] > 0


async def _press_what_is_asked_for(board, smoke):
    """Press each key that the smoke test names; return all it printed."""
    printed = ""
    while line := (await smoke.stdout.readline()).decode():
        printed += line
        words = line.split()
        if words[:1] == ["Press"]:
            await asyncio.sleep(0.5)  # a person is not faster, and the board reads the keypad only after the prompt
            await board.type(words[1], 250, 0)
    await smoke.wait()
    return printed


async def _until(is_so):
    async with asyncio.timeout(BACK_S):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
