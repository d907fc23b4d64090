"""An image on the emulated ESP32: the loader in the chip's ROM, the real esptool, and a MicroPython that starts.

ESP32_CHIP names the emulator. A chip on a socket has no reset line, so the test does what a person does with the
buttons BOOT and RESET: it starts the chip in its loader, and restarts it once the image is written.
"""

import asyncio
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from chip_lab.slots import take_slot
from device_cable import rom_loader
from device_cable.board import enter_board
from device_cable.cable import Cable
from device_cable.files import list_files
from device_cable.image import BoardChip
from lab_parts.chip import find_files
from lab_parts.free_port import free_port

_IN_LOADER = ("-global", "driver=esp32.gpio,property=strap_mode,value=0x0f")
_AT = 0x1000
_FLASH_BYTES = 4 * 1024 * 1024

pytestmark = pytest.mark.timeout(600)


class EmulatedChip:
    """An emulated chip behind a permanent port; its flash initially contains noise."""

    def __init__(self, program, folder):
        self._program = program
        self.flash = folder / "chip.bin"
        self.flash.write_bytes(os.urandom(_FLASH_BYTES))
        self._number = free_port()
        self.port = f"socket://127.0.0.1:{self._number}"
        self._slot = asyncio.run(take_slot())
        self._process = None

    def start(self, *options):
        """Start or restart the chip."""
        self.stop()
        line = f"socket,id=s0,host=127.0.0.1,port={self._number},server=on,wait=off"
        self._process = subprocess.Popen(
            [self._program, str(self.flash), "-chardev", line, "-serial", "chardev:s0", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while self._process.poll() is None:
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", self._number)) == 0:
                    return

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def close(self):
        self.stop()
        os.close(self._slot)


@pytest.fixture
def chip(need_chip, tmp_path):
    chip = EmulatedChip(need_chip, tmp_path)
    yield chip
    chip.close()


@pytest.fixture
def micropython(need_chip, tmp_path):
    """MicroPython's own image, as downloaded."""
    (image,) = find_files(need_chip).glob("ESP32_GENERIC-*.bin")
    return Path(shutil.copy(image, tmp_path))


def test_an_image_is_written_by_esptool_and_its_micropython_starts(chip, micropython, monkeypatch):
    for name in ("BEFORE", "AFTER"):
        monkeypatch.setenv(f"ESPTOOL_{name}", "no-reset")
    described = BoardChip("esp32", "0x1000")
    found = rom_loader.read_flash_image(micropython, "ESP32_GENERIC", described)
    assert (found.mcu, found.slots, found.has_firmware) == ("esp32", 1, False)
    chip.start(*_IN_LOADER)
    rom_loader.write_flash(rom_loader.make_command(micropython, chip.port, described), chip.port)
    chip.stop()
    flash, image = chip.flash.read_bytes(), micropython.read_bytes()
    assert flash[_AT : _AT + len(image)] == image
    assert set(flash[:_AT] + flash[_AT + len(image) :]) == {0xFF}  # no settings, no secret, no old file system
    chip.start()
    with Cable(chip.port) as cable:
        board = enter_board(cable, "ESP32_GENERIC")
        assert set(list_files(cable)) == {"boot.py"}  # MicroPython's own: the file system is new
    assert (board.platform, board.mcu, board.machine) == ("esp32", "esp32", "Generic ESP32 module with ESP32")
    assert (board.has_psram, board.frozen_version) == (False, None)
