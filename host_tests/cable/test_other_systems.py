"""The commands for boards load on a system without the modules of Unix, as Windows is; nobody has run them there."""

import subprocess
import sys

import pytest

_OF_UNIX = ("fcntl", "termios", "pty", "tty", "resource", "pwd", "grp", "curses", "syslog")
# pyserial and mpremote choose by the system themselves, so here they are loaded before the modules are taken away.
_WITHOUT = f"""
import sys, mpremote.transport_serial, serial.tools.list_ports
sys.modules.update(dict.fromkeys({_OF_UNIX}))
from phoneterm_cli.main import main
main()
"""


def run(*arguments, folder):
    """Run the `phoneterm` command where the modules are absent."""
    return subprocess.run(
        [sys.executable, "-c", _WITHOUT, *arguments], capture_output=True, text=True, check=False, cwd=folder
    )


@pytest.mark.parametrize("command", ["device", "firmware", "board"])
def test_the_commands_for_boards_load_without_the_modules_of_unix(tmp_path, command):
    ended = run(command, "--help", folder=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"phoneterm {command}" in ended.stdout or "COMMAND" in ended.stdout


def test_a_store_says_that_such_a_system_cannot_hold_it(tmp_path):
    (tmp_path / "phoneterm.db").touch()
    ended = run("user", "list", "--set", "store.path=phoneterm.db", folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "This system cannot lock files, so it can hold no store: use Linux or macOS for that.\n"
