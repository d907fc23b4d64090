"""Writing a whole image: refusals before the board is touched, and the real esptool with a board that stays silent.

The writing itself is tried on the emulated chip (test_rom_loader_on_chip.py).
"""

import hashlib
import json

import pytest
from cable.conftest import BOARD
from firmware_build.whole_image import ONE_SLOT, make_whole_image


@pytest.fixture
def image(bench):
    """Files to flash, and a MicroPython image beside them."""
    bench.write_image()
    path = bench.folder / "mine.bin"
    path.write_bytes(make_whole_image())
    return path


def describe(path, **changes):
    document = {"board": BOARD, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()} | changes
    path.with_suffix(".json").write_text(json.dumps(document))


def test_the_command_is_shown_and_nothing_written_without_a_yes(bench, plug_in, image):
    board = plug_in()
    describe(image)
    printed = bench.run("flash", "--image", str(image), exit_code=1, typed="n\n")
    assert "MicroPython for esp32, with the firmware in it; application slots: 2." in printed
    command = f"-m esptool --chip esp32 --port {board.port} --baud 460800 write-flash --erase-all 0x1000 {image}\n"
    assert command in printed
    assert f"Erase the board at {board.port}, settings and all, and write this image to it?" in printed
    assert printed.endswith("Nothing was written.\n")
    assert bytes(board.sent) == b""


def test_a_stock_image_is_taken_and_its_files_follow(bench, plug_in, image):
    plug_in()
    image.write_bytes(make_whole_image(partitions=ONE_SLOT, names=b""))
    printed = bench.run("flash", "--image", str(image), exit_code=1, typed="n\n")
    assert "without the firmware, which follows as files; application slots: 1." in printed


def test_a_chip_that_does_not_answer_esptool_is_one_sentence(bench, plug_in, image, monkeypatch, capfd):
    for name, value in (("BEFORE", "no-reset"), ("AFTER", "no-reset"), ("CONNECT_ATTEMPTS", "1")):
        monkeypatch.setenv(f"ESPTOOL_{name}", value)
    board = plug_in(has_micropython=False)
    printed = bench.run("flash", "--image", str(image), "--yes", exit_code=1)
    assert f"esptool did not write the image to the board at {board.port}; its own words are above." in printed
    assert "hold BOOT while you press RESET" in printed
    assert "Failed to connect to ESP32" in capfd.readouterr().err
    assert b"\xc0\x00\x08" in board.sent  # it has asked the chip's loader to answer


@pytest.mark.parametrize(
    ("content", "changes", "sentence"),
    [
        (None, None, "cannot be read: No such file or directory."),
        (b"<html>", None, "is no image of MicroPython that begins with the chip's boot loader."),
        (make_whole_image(chip=9), None, "is for esp32s3, and BOARD=BENCH is for esp32."),
        (make_whole_image(flash_offset=0, chip=9), None, "is for esp32s3, and BOARD=BENCH is for esp32."),
        (make_whole_image()[:-500], None, "is damaged or cut off: get it anew."),
        (make_whole_image(), {"sha256": "0" * 64}, "is not what mine.json says (SHA-256)"),
        (make_whole_image(), {"board": "OTHER"}, "is for the board OTHER, not for BENCH."),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_board_is_touched(
    bench, plug_in, image, content, changes, sentence
):
    board = plug_in()
    if content is None:
        image.unlink()
    else:
        image.write_bytes(content)
    if changes:
        describe(image, **changes)
    printed = bench.run("flash", "--image", str(image), "--yes", exit_code=1)
    assert sentence in printed
    assert printed.count("\n") == 1
    assert bytes(board.sent) == b""


@pytest.mark.parametrize("offset", ["zz", "", "-1", 1.5, "0x", [0]])
def test_an_offset_that_is_no_number_is_one_sentence(bench, plug_in, image, offset):
    board = plug_in()
    file = bench.boards / "BENCH/board.json"
    file.write_text(json.dumps({"mcu": "esp32", "deploy_options": {"flash_offset": offset}}))
    printed = bench.run("flash", "--image", str(image), "--yes", exit_code=1)
    assert printed.endswith('BENCH/board.json must say flash_offset as a number such as "0x1000".\n')
    assert printed.count("\n") == 1
    assert bytes(board.sent) == b""


def test_a_description_that_cannot_be_read_is_one_sentence(bench, plug_in, image):
    plug_in()
    image.with_suffix(".json").write_text("{")
    printed = bench.run("flash", "--image", str(image), "--yes", exit_code=1)
    assert printed == f"The file {image.with_suffix('.json')} describes no image: remove it, or make image BOARD=.\n"
