"""The commands as used at a terminal, with Ctrl-C and Ctrl-X: each in its own process."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import serial
from cable.conftest import BOARD, SMALL
from device_cable.cable import Cable
from device_cable.ready import NOT_SET_UP, wait_until_ready
from device_cable.silence import Silence

_PATIENCE_S = 30
_TALKING = SMALL | {"main.py": (Path(__file__).parent / "vm_modules" / "talking_terminal.py").read_bytes()}


class Somebody:
    """A command on a pseudo-terminal: `type` sends input, `wait_for` waits for output."""

    def __init__(self, *arguments):
        program = "from phoneterm_cli.start import main; main()"
        self._screen, there = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, "device", *arguments], stdin=there, stdout=there, stderr=there,
            start_new_session=True,
        )  # fmt: skip
        os.close(there)
        self.shown = b""

    def type(self, text):
        os.write(self._screen, text)

    def wait_for(self, text):
        deadline_s = time.monotonic() + _PATIENCE_S
        while text not in self.shown:
            assert time.monotonic() < deadline_s, self.shown
            if not select.select([self._screen], [], [], 1)[0]:
                continue
            try:
                self.shown += os.read(self._screen, 4096)
            except OSError:
                raise AssertionError(f"it ended without {text!r}: {self.shown!r}") from None

    def end(self):
        self.process.wait(_PATIENCE_S)
        os.close(self._screen)
        return self.process.returncode


@pytest.fixture
def start():
    """Return a function that starts a command; none is left behind."""
    started = []

    def start_command(*arguments):
        started.append(Somebody(*arguments))
        return started[-1]

    yield start_command
    for somebody in started:
        somebody.process.kill()
        somebody.process.wait()


@pytest.fixture
def talking(bench, plug_in):
    """A board whose terminal prints something all the time."""
    board = plug_in(has_own_usb=True)
    bench.write_image(_TALKING)
    bench.run("flash")
    board.wait_for(b"line 3")
    return board


def test_logs_shows_what_the_terminal_says_and_leaves_it_running(talking, start):
    boots = talking.boots
    somebody = start("logs", "--port", talking.port)
    somebody.wait_for(b"line ")
    somebody.process.send_signal(signal.SIGINT)
    somebody.wait_for(b"The board goes on with what it does.")
    assert somebody.end() == 130
    assert talking.boots == boots
    talking.said.clear()
    talking.wait_for(b"line ")


def test_logs_of_a_board_that_is_unplugged_goes_on_when_it_is_back(talking, start):
    somebody = start("logs", "--port", talking.port)
    somebody.wait_for(b"line ")
    talking.replug()
    somebody.shown = b""
    somebody.wait_for(b"line ")
    somebody.process.send_signal(signal.SIGINT)
    assert somebody.end() == 130


def test_logs_of_a_board_that_is_unplugged_says_that_its_port_is_away(talking, start):
    somebody = start("logs", "--port", talking.port)
    somebody.wait_for(b"line ")
    talking.unplug()
    somebody.wait_for(b"The port is away: is the cable plugged in?")
    somebody.process.send_signal(signal.SIGINT)
    assert somebody.end() == 130


def test_repl_without_a_terminal_to_type_in_leaves_the_board_alone(bench, plug_in):
    board = plug_in()
    assert bench.run("repl", exit_code=1) == "make repl needs a terminal to type in; the board was not touched.\n"
    assert bytes(board.sent) == b""


def test_repl_whose_board_is_unplugged_ends_with_one_sentence(talking, start):
    somebody = start("repl", "--port", talking.port)
    somebody.wait_for(b"Connected to MicroPython")
    talking.unplug()
    somebody.wait_for(b"press RESET or plug it in anew, and it is a terminal again")
    assert somebody.end() == 1
    assert b"Traceback" not in somebody.shown


def test_repl_talks_with_micropython_and_gives_the_terminal_back(talking, start):
    somebody = start("repl", "--port", talking.port)
    somebody.wait_for(b"Connected to MicroPython")
    somebody.type(b"print(6 * 7)\r")
    somebody.wait_for(b"42")
    assert ("watchdog", ("600000",)) in [tuple(report) for report in talking.reports]
    talking.said.clear()
    somebody.type(b"\x18")
    assert somebody.end() == 0
    talking.wait_for(b"ready 1")


def test_flash_that_is_ended_by_ctrl_c_in_mid_file_says_how_it_goes_on_and_does(talking, bench, start):
    bench.write_image(_TALKING | {"phoneterm/core/bulk.py": b"# padding\n" * 20000})
    somebody = start("flash", "--port", talking.port, "--board", BOARD, "--boards", str(bench.boards))
    deadline_s = time.monotonic() + _PATIENCE_S
    while talking.sent.count(b"# padding") < 200:
        assert time.monotonic() < deadline_s, somebody.shown
        time.sleep(0.001)
    talking.said.clear()
    somebody.process.send_signal(signal.SIGINT)
    somebody.wait_for(b"The same command continues from there.")
    assert somebody.end() == 130
    talking.wait_for(b"ready 1")  # the terminal that was there
    assert "The terminal is ready" in bench.run("flash")


@pytest.fixture
def unready(bench, plug_in):
    """A function that plugs in a board with the whole firmware, with these settings."""

    def make(**settings):
        board = plug_in(settings=settings, has_own_usb=True)
        bench.write_firmware()
        bench.run("flash", "--wait", "0")
        return board

    return make


AWAY = {
    "tid": "phone-101", "wifi_ssid": "office", "mqtt_host": "127.0.0.1", "mqtt_port": "9", "mqtt_password": "x",
    "mac_key": "00" * 16,
}  # fmt: skip
NO_BROKER = b"trouble no-broker (22): The broker does not answer"


def listen(start, board, words):
    """Attach to a board that says nothing by itself; return when it has said this, and how it was asked."""
    somebody = start("logs", "--port", board.port)
    somebody.wait_for(words)
    somebody.process.send_signal(signal.SIGINT)
    assert somebody.end() == 130


@pytest.mark.parametrize("attaching", [1, 2])
def test_whoever_attaches_hears_at_once_what_keeps_a_running_terminal(unready, start, attaching):
    board = unready(**AWAY)
    board.wait_for(NO_BROKER)
    boots = board.boots
    for _ in range(attaching):
        listen(start, board, NO_BROKER)
    assert board.boots == boots


def test_repl_tells_the_state_before_it_stops_the_terminal(unready, start):
    board = unready(**AWAY)
    board.wait_for(NO_BROKER)
    somebody = start("repl", "--port", board.port)
    somebody.wait_for(NO_BROKER)
    somebody.wait_for(b"Connected to MicroPython")
    somebody.type(b"\x18")
    assert somebody.end() == 0


def test_a_terminal_without_settings_says_so_to_whoever_attaches(unready, start):
    board = unready()
    board.wait_for(b"The setting wifi_ssid is missing")
    listen(start, board, b"The setting wifi_ssid is missing: provision this terminal.")


def test_a_board_whose_words_were_lost_while_its_port_was_away_is_asked(unready):
    board = unready()
    board.wait_for(b"The setting wifi_ssid is missing")
    with Cable(board.port) as cable:
        assert wait_until_ready(cable, 20).kind == NOT_SET_UP


def test_safe_mode_says_its_reason_to_whoever_attaches(need_stock_modules, unready, start):
    board = unready(**AWAY)
    with Cable(board.port) as cable:
        cable.enter()
        cable.write_file("safe", b"", lambda _: None)
    board.wait_for(b"safe mode: file safe found")
    listen(start, board, b"safe mode: file safe found")


def test_at_micropythons_prompt_whoever_attaches_is_told_that_no_terminal_runs(bench, plug_in, start):
    board = plug_in()
    listen(start, board, b"No terminal runs: MicroPython's own prompt answers.")


def test_a_board_that_says_nothing_is_told_once_and_each_time_that_its_port_is_away():
    said, times_s = [], iter(range(0, 100, 10))
    silence = Silence(said.append, lambda: next(times_s))
    for is_away in (False, False, False, False, False, True, True, False, True):
        silence.look(is_away)
    assert [sentence.partition(":")[0] for sentence in said] == [
        "The board has said nothing for 30 s, and a terminal would have answered",
        "The port is away",
        "The port is away",
    ]
    silence = Silence(said.append, lambda: 100)
    silence.end()
    silence.look(False)
    assert len(said) == 3


def test_what_is_typed_after_ctrl_c_is_for_the_prompt_and_what_comes_before_it_asks(unready):
    board = unready(**AWAY)
    board.wait_for(NO_BROKER)
    with serial.Serial(board.port) as port:
        heard = len(board.said)
        port.write(b"\r")
        board.wait_for(NO_BROKER, heard)
        port.write(b"\r\x03print(6 * 7)\r")
        board.wait_for(b"stopped")
        board.wait_for(b">>> print(6 * 7)\r\n42")
