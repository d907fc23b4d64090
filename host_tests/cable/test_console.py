"""The commands as used at a terminal, with Ctrl-C and Ctrl-X: each in its own process."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cable.conftest import BOARD, SMALL

_PATIENCE_S = 30
_TALKING = SMALL | {"main.py": (Path(__file__).parent / "vm_modules" / "talking_terminal.py").read_bytes()}


class Somebody:
    """A command on a pseudo-terminal: `type` sends input, `wait_for` waits for output."""

    def __init__(self, *arguments):
        program = "from phoneterm_cli.main import main; main()"
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
    somebody.wait_for(b"The terminal goes on running.")
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
