"""MicroPython mounts the ROMFS image, and the whole terminal starts from it with nothing else to import."""

import shutil
from pathlib import Path

import pytest
from board_check.board_file import BOARDS
from firmware_build.board_image import build_image
from firmware_build.romfs import RomfsFailed, make_romfs
from virtual_phone.build import Build
from virtual_phone.client import PhoneClient
from virtual_phone.phone import VirtualPhone

_FIRMWARE = Path(__file__).parents[2] / "firmware"
_HEAP_KIB = 320  # the unix port has no flash to map the image from: it is on the heap, and takes 50 KiB of it

# MicroPython does the first step by itself before boot.py, if it was built with a ROMFS partition.
_PROGRAMS = [Path(__file__).parent / "vm_modules" / name for name in ("rom_on_the_path.py", "app_place.py")]


@pytest.fixture
def romfs(tmp_path):
    return make_romfs(build_image(BOARDS / "VIRTUAL", _FIRMWARE, tmp_path).folder)


async def test_the_terminal_starts_from_the_image(tmp_path, romfs):
    files = tmp_path / "files"
    files.mkdir()
    for source in _FIRMWARE.glob("*.py"):
        text = source.read_text()
        (files / source.name).write_text(
            "import rom_on_the_path, app_place\n" + text if source.name == "boot.py" else text
        )
    for program in _PROGRAMS:
        shutil.copyfile(program, files / program.name)
    phone = VirtualPhone(
        {"wifi_ssid": "lab", "tid": "t101", "mqtt_host": "127.0.0.1", "mqtt_port": "1", "mac_key": "00" * 16,
         "mqtt_password": "x", "tls": "off"},
        build=Build(files, heap_kib=_HEAP_KIB, environment={"TEST_ROM": str(romfs)}),
    )  # fmt: skip
    await phone.start()
    try:
        async with await PhoneClient.connect("127.0.0.1", phone.control_port) as client:
            await client.wait_for_signal("starting", deadline_s=20)
        assert "app is from /rom/phoneterm/app.mpy" in phone.log_lines
    finally:
        await phone.stop()


def test_an_image_is_the_same_twice_and_has_the_compiled_modules_alone(tmp_path, romfs):
    content = romfs.read_bytes()
    assert make_romfs(tmp_path / "VIRTUAL").read_bytes() == content
    assert content.startswith(b"\xd2\xcd1")
    assert b"\x0cterminal.mpy" in content  # a file's name follows its length; texts may name other files
    assert b"\x08board.py" not in content
    assert b"\x07main.py" not in content


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path):
    folder = build_image(BOARDS / "VIRTUAL", _FIRMWARE, tmp_path).folder
    (tmp_path / "VIRTUAL.romfs").mkdir()
    with pytest.raises(RomfsFailed, match="mpremote made no ROMFS image: "):
        make_romfs(folder)
