"""Flashing a MicroPython behind a pseudo-terminal through mpremote: what is copied, verified, kept and removed."""

import json
import time
from pathlib import Path

import pytest
from cable.conftest import SMALL
from device_cable import files
from device_cable.cable import Cable
from device_cable.cli import app
from device_cable.image import read_image
from firmware_build.cli import app as firmware_app
from typer.testing import CliRunner

BOARDS = Path(__file__).parents[2] / "boards"
WATCHED = Path(__file__).parent / "vm_modules" / "watched_terminal.py"
NEW_LAMP = SMALL | {"phoneterm/device/lamp.py": b"LEVEL = 0\n"}


def on_board(port):
    """Return every file on the board with its content."""
    with Cable(port) as cable:
        cable.enter()
        return {path: cable.run(f"print(open({path!r}).read(), end='')").encode() for path in files.list_files(cable)}


def test_an_empty_board_gets_everything_and_reports_itself_ready(bench, plug_in):
    plug_in()
    bench.write_image()
    printed = bench.run("flash")
    assert "Generic ESP32 module with ESP32, MicroPython 1.29.0" in printed
    assert "9 files copied" in printed
    assert "all 9 files have the right SHA-256" in printed
    assert "The terminal is ready" in printed
    there = on_board(bench.port)
    assert json.loads(there.pop("manifest.json"))["version"] == "1.0"
    assert there == SMALL


def test_only_what_changed_is_copied(bench, plug_in):
    board = plug_in()
    bench.write_image()
    bench.run("flash")
    bench.write_image(NEW_LAMP, version="1.1")
    board.sent.clear()
    printed = bench.run("flash")
    assert "1 files copied (10 bytes)" in printed
    assert b"LEVEL = 0" in board.sent
    assert b"WORD = " not in board.sent
    assert on_board(bench.port)["phoneterm/device/lamp.py"] == b"LEVEL = 0\n"


def test_a_second_flash_copies_nothing(bench, plug_in):
    plug_in()
    bench.write_image()
    bench.run("flash")
    assert "0 files copied (0 bytes), 0 removed; all 9 files" in bench.run("flash")


def test_files_of_ours_that_are_no_longer_part_go_and_foreign_ones_stay(bench, plug_in):
    plug_in()
    bench.write_image(SMALL | {"oled.py": b"OLD = 1\n", "phoneterm/core/old.py": b"OLD = 2\n"})
    bench.run("flash")
    with Cable(bench.port) as cable:
        cable.enter()
        cable.write_file("notes.txt", b"mine", lambda _: None)
        cable.write_file("phoneterm/core/call.mpy.new", b"half", lambda _: None)
    bench.write_image()
    assert "3 removed" in bench.run("flash")
    there = set(on_board(bench.port))
    assert there == set(SMALL) | {"manifest.json", "notes.txt"}


def test_a_file_that_was_damaged_on_the_board_is_put_right(bench, plug_in):
    plug_in()
    bench.write_image()
    bench.run("flash")
    with Cable(bench.port) as cable:
        cable.enter()
        cable.write_file("phoneterm/core/call.py", b"WORD = 'link-no'\n", lambda _: None)
    assert "1 files copied" in bench.run("flash")
    assert on_board(bench.port)["phoneterm/core/call.py"] == SMALL["phoneterm/core/call.py"]


def test_a_terminal_without_settings_is_a_success_with_a_hint(bench, plug_in):
    plug_in()
    bench.write_image(SMALL | {"main.py": b"print('The setting wifi_ssid is missing: provision this terminal.')\n"})
    assert "is not set up yet: make provision BOARD= PORT= EXT=" in bench.run("flash")


def test_a_terminal_that_cannot_reach_its_network_is_told_with_the_reason(bench, plug_in):
    plug_in()
    bench.write_image(SMALL | {"main.py": b"print('wifi-failed the password is wrong')\n"})
    printed = bench.run("flash", "--wait", "4", exit_code=1)
    assert "was not ready after 4 s: wifi-failed: the password is wrong." in printed


def test_a_terminal_that_crashes_is_told_with_what_it_says(bench, plug_in):
    plug_in()
    bench.write_image(SMALL | {"phoneterm/core/call.py": b"raise ValueError('no')\n"})
    assert "does not start: ValueError: no; make logs" in bench.run("flash", exit_code=1)


def test_safe_mode_is_told(bench, plug_in):
    plug_in()
    bench.write_image(SMALL | {"main.py": b"print('safe mode: there is a file named safe')\n"})
    assert "safe mode: there is a file named safe" in bench.run("flash", exit_code=1)


def watchdogs_of(board):
    """Return the timeouts in ms of all watchdogs created on the board."""
    return [report.fields[0] for report in board.reports if report.name == "watchdog"]


def wait_until(is_so):
    """Wait until a condition is true; fail if that takes too long."""
    deadline_s = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_a_running_terminal_is_stopped_and_its_watchdog_given_time(bench, plug_in):
    board = plug_in()
    bench.write_image(SMALL | {"main.py": WATCHED.read_bytes()})
    bench.run("flash")
    wait_until(lambda: watchdogs_of(board)[-1:] == ["30000"])  # the terminal's own
    board.reports.clear()
    assert "0 files copied" in bench.run("flash")
    assert watchdogs_of(board)[0] == "600000"


def test_a_chip_with_its_own_usb_goes_away_at_the_restart_and_is_waited_for(bench, plug_in):
    plug_in(has_own_usb=True)
    late = b"import time\ntime.sleep_ms(500)\nprint('ready 1')\n"
    bench.write_image(SMALL | {"main.py": late})
    assert "The terminal is ready" in bench.run("flash")


@pytest.mark.parametrize("name", ["ESP32_GENERIC", "ESP32_GENERIC_S3", "ESP32_GENERIC_C3"])
def test_what_the_build_makes_of_each_board_reaches_a_board_of_its_chip(bench, plug_in, name):
    chip = json.loads((BOARDS / name / "board.json").read_text())["mcu"]
    plug_in(uname=f"esp32|1.27.0|Generic module with {chip.upper()}")
    built = CliRunner().invoke(
        firmware_app, ["build", str(BOARDS / name), "--firmware", str(BOARDS.parent / "firmware")]
    )
    assert built.exit_code == 0, built.output
    options = ["flash", "--board", name, "--boards", str(BOARDS), "--port", bench.port, "--wait", "0"]
    flashed = CliRunner().invoke(app, options)
    assert flashed.exit_code == 0, flashed.output
    image = read_image(bench.folder / "build/firmware" / name)
    assert f"all {len(image.contents)} files have the right SHA-256" in flashed.output


def test_a_board_names_each_file_that_it_puts_in_place_so_that_a_slow_flash_is_not_taken_for_a_lost_board(
    bench, plug_in
):
    board = plug_in()
    bench.write_image()
    with Cable(board.port) as cable:
        cable.enter()
        for path in ("one.txt", "two.txt"):
            cable.write_file(path + ".new", b"1", lambda _: None)
        board.said.clear()
        files.replace_files(cable, ["one.txt", "two.txt"], ".new", ["one.txt"])
        assert b"one.txt\ntwo.txt\none.txt\n" in board.said
