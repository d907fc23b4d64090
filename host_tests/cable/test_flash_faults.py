"""Faults while a board is flashed: each gives one sentence with its remedy, and the terminal still boots."""

import fcntl
import os
from dataclasses import dataclass

import pytest
from cable.conftest import BOARD, SMALL
from cable.faulty_cables import BoastingCable, GarblingCable, HurriedCable, InterruptedCable
from cable.test_flash import NEW_LAMP, on_board
from device_cable import flash as flashing
from device_cable import ports
from device_cable.cable import Cable
from device_cable.cli.desk import Desk
from device_cable.problem import CableProblem

BULKY = SMALL | {"phoneterm/core/bulk.py": b"# padding\n" * 3000}


@dataclass
class UsbPort:
    device: str
    description: str = "CP2102"
    vid: int | None = 0x10C4


def test_no_board_at_usb_is_one_sentence_with_the_remedy(bench):
    bench.desk = Desk(list_ports=lambda: [UsbPort("/dev/ttyS0", "", None)])
    bench.write_image()
    printed = bench.run("flash", exit_code=1)
    assert printed.startswith("There is no board at USB: plug it in with a cable that carries data")
    assert printed.count("\n") == 1


def test_several_boards_are_listed():
    with pytest.raises(CableProblem) as problem:
        ports.find_port(None, [UsbPort("/dev/ttyUSB1"), UsbPort("/dev/ttyACM0", "ESP32-S3")])
    assert str(problem.value) == (
        "There are several boards: name one with PORT= (--port): /dev/ttyACM0 (ESP32-S3), /dev/ttyUSB1 (CP2102)."
    )


def test_the_only_board_is_found():
    assert ports.find_port(None, [UsbPort("/dev/ttyS0", "", None), UsbPort("/dev/ttyUSB0")]) == "/dev/ttyUSB0"


def test_a_port_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(CableProblem, match=r"There is no serial port /dev/nothing; there are /dev/ttyUSB0 \(CP2102\)"):
        ports.find_port("/dev/nothing", [UsbPort("/dev/ttyUSB0")])


def test_a_busy_port_names_what_may_use_it(bench, plug_in):
    plug_in()
    bench.write_image()
    other = os.open(bench.port, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(other, fcntl.LOCK_EX)
    printed = bench.run("flash", exit_code=1)
    os.close(other)
    assert printed == (
        f"Another program uses {bench.port}: close it (make logs, make repl, a serial monitor) and try again.\n"
    )


def test_a_board_without_micropython_is_told_how_it_gets_one(bench, plug_in):
    bench.desk = Desk(open_cable=HurriedCable)
    plug_in(has_micropython=False)
    bench.write_image()
    printed = bench.run("flash", exit_code=1)
    assert printed.startswith(f"No MicroPython answers at {bench.port}.")
    assert f"make flash BOARD={BOARD} PORT={bench.port} IMAGE=FILE.bin erases the board and writes it" in printed


def test_a_micropython_that_is_too_old_is_refused_with_the_way_to_a_newer_one(bench, plug_in):
    plug_in(uname="esp32|1.22.2|Generic ESP32 module with ESP32")
    bench.write_image()
    printed = bench.run("flash", exit_code=1)
    assert "MicroPython 1.22.2 on the board is too old, 1.27 or later is needed." in printed
    assert "take the newest .bin from micropython.org/download/BENCH" in printed
    assert on_board(bench.port) == {}


def test_another_chip_is_refused(bench, plug_in):
    plug_in(uname="esp32|1.29.0|Generic ESP32S3 module with ESP32-S3")
    bench.write_image()
    printed = bench.run("flash", exit_code=1)
    assert f"has another chip (Generic ESP32S3 module with ESP32-S3): BOARD={BOARD} is for esp32" in printed
    assert on_board(bench.port) == {}


def test_a_board_that_is_no_esp32_is_refused(bench, plug_in):
    plug_in(uname="rp2|1.29.0|Raspberry Pi Pico W with RP2040")
    bench.write_image()
    assert "is no ESP32 (Raspberry Pi Pico W with RP2040)" in bench.run("flash", exit_code=1)


def test_a_preview_of_micropython_is_taken(bench, plug_in):
    plug_in(uname="esp32|1.30.0-preview|Generic ESP32 module with ESP32")
    bench.write_image()
    assert "The terminal is ready" in bench.run("flash")


def test_a_full_flash_is_told_before_anything_is_copied(bench, plug_in):
    plug_in(blocks=24)
    bench.write_image()
    bench.run("flash")
    before = on_board(bench.port)
    with Cable(bench.port) as cable:
        cable.enter()
        cable.write_file("photo.jpg", b"x" * 4096 * 2, lambda _: None)
    bench.write_image(BULKY)
    printed = bench.run("flash", exit_code=1)
    assert printed.splitlines()[-1].startswith("The board's file system is full: remove files that are not")
    assert "bytes free and" in printed
    after = on_board(bench.port)
    assert after.pop("photo.jpg")
    assert after == before


def test_a_flash_that_fills_up_on_the_way_leaves_the_old_terminal_and_nothing_beside_it(bench, plug_in):
    plug_in(blocks=24)
    bench.write_image()
    bench.run("flash")
    before = on_board(bench.port)
    bench.desk = Desk(open_cable=BoastingCable)
    bench.write_image(SMALL | {"phoneterm/core/bulk.py": b"# padding\n" * 12000})
    printed = bench.run("flash", exit_code=1)
    assert printed.splitlines()[-1].endswith("Nothing was changed.")
    assert on_board(bench.port) == before


@pytest.mark.parametrize("at_bytes", [1500, 6000, 20000])
def test_a_board_that_is_unplugged_in_mid_copy_keeps_its_terminal_and_the_next_flash_goes_on(bench, plug_in, at_bytes):
    board = plug_in()
    bench.write_image()
    bench.run("flash")
    before = on_board(bench.port)
    bench.write_image(BULKY | NEW_LAMP)
    board.unplug_after = board.writes + at_bytes
    printed = bench.run("flash", exit_code=1)
    assert printed.splitlines()[-1] == (
        f"The board at {board.port} does not answer any more: check the cable, then run the same command again."
    )
    board.__exit__()
    plug_in().wait_for(b"ready 1")
    there = on_board(bench.port)
    assert {path: content for path, content in there.items() if not path.endswith(".new")} == before
    assert "The terminal is ready" in bench.run("flash")
    assert set(on_board(bench.port)) == set(BULKY) | {"manifest.json"}


def test_an_empty_board_that_is_unplugged_in_mid_copy_boots_and_says_what_it_lacks(bench, plug_in):
    board = plug_in()
    bench.write_image(BULKY)
    board.unplug_after = 12000
    bench.run("flash", exit_code=1)
    board.__exit__()
    plug_in().wait_for(b"ImportError: no module named 'phoneterm")
    assert "The terminal is ready" in bench.run("flash")


def test_ctrl_c_gives_the_board_back_and_the_next_flash_goes_on_from_there(bench, plug_in):
    board = plug_in()
    bench.write_image()
    bench.run("flash")
    bench.write_image(BULKY | NEW_LAMP)

    boots = board.boots
    bench.desk = Desk(open_cable=InterruptedCable)
    printed = bench.run("flash", exit_code=130)
    assert "Stopped. The board still runs what it had" in printed
    bench.desk = Desk()
    printed = bench.run("flash")
    assert board.boots > boots + 2
    assert "1 were there from before" in printed
    assert "The terminal is ready" in printed


def test_a_file_that_does_not_arrive_as_it_was_sent_changes_nothing(bench, plug_in):
    plug_in()
    bench.write_image()
    bench.run("flash")
    before = on_board(bench.port)

    bench.desk = Desk(open_cable=GarblingCable)
    bench.write_image(NEW_LAMP)
    assert "phoneterm/device/lamp.py did not arrive as it was sent" in bench.run("flash", exit_code=1)
    there = on_board(bench.port)
    assert {path: content for path, content in there.items() if not path.endswith(flashing.NEW)} == before


def test_the_virtual_board_and_unknown_boards_are_refused_with_those_there_are(bench):
    bench.write_image()
    (bench.boards / BOARD).rename(bench.boards / "ESP32_GENERIC")
    printed = bench.run("flash", exit_code=1)
    assert printed == f"There is no board {BOARD}: name one with BOARD= (--board): ESP32_GENERIC.\n"


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda folder: (folder / "main.py").write_bytes(b"other"), "main.py is not what its manifest says"),
        (lambda folder: (folder / "boot.py").unlink(), "lacks boot.py"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), "is no manifest of an image"),
        (lambda folder: (folder / "manifest.json").unlink(), "make firmware BOARD=BENCH builds it"),
    ],
)
def test_an_image_that_is_not_as_its_manifest_says_never_reaches_the_board(bench, damage, sentence):
    bench.write_image()
    damage(bench.folder / "build/firmware" / BOARD)
    printed = bench.run("flash", exit_code=1)
    assert sentence in printed
    assert printed.count("\n") == 1
