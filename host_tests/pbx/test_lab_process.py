"""The lab as a separate process: it and everything it started are gone when its parent is gone."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pbx_lab.config_files import fill_in

TOOLS = Path(__file__).parents[2] / "tools"
UP = [sys.executable, "-c", "from pbx_lab.cli import app; app()", "up", "--port", "0"]
GONE_S = 20


def test_a_placeholder_without_a_value_is_our_own_mistake():
    assert fill_in("a = @b@ ; c@d.e", {"b": "1"}) == "a = 1 ; c@d.e"
    with pytest.raises(ValueError, match="@b@"):
        fill_in("a = @b@", {})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_the_lab_ends_whatever_ends_it(need_part, number):
    folder = need_part("asterisk").root / "tmp"
    need_part("sipp")
    environment = dict(os.environ, PYTHONPATH=f"{TOOLS}:{TOOLS / 'labs'}:{TOOLS.parent / 'firmware'}")
    lab = subprocess.Popen(UP, env=environment, stdout=subprocess.PIPE, text=True)
    ready = lab.stdout.readline()
    assert ready.startswith("Asterisk is up")
    own = folder / re.search(r"phoneterm-asterisk-[^/]+", _command_of_child(lab.pid, "asterisk"))[0]
    assert own.exists()
    lab.send_signal(number)
    lab.wait(timeout=GONE_S)
    lab.stdout.close()
    _wait_until(lambda: not own.exists())
    _wait_until(lambda: not _commands_with(own.name))


def _wait_until(is_so):
    deadline = time.monotonic() + GONE_S
    while not is_so():
        assert time.monotonic() < deadline, "still there"
        time.sleep(0.02)


def _command_of_child(parent, name):
    """Return the command line of a process's child; others on this machine may run the same program."""
    for folder, command in _processes():
        with contextlib.suppress(OSError):
            if command.startswith(name) and f"PPid:\t{parent}\n" in (folder / "status").read_text():
                return command
    raise AssertionError(f"{parent} runs no {name}")


def _commands_with(text):
    return [command for _, command in _processes() if text in command]


def _processes():
    """Return (folder in /proc, command line) of all processes."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append((file.parent, file.read_bytes().replace(b"\0", b" ").decode(errors="replace")))
    return found
