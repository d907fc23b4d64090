"""A box of boards that are plugged in one after the other at one port, and a command that is answered meanwhile.

Does not flash them: each begins with a copy of a flash that has been written once. A board that is unplugged goes on
running, as with a supply of its own, so a row of thirty is thirty terminals in the end.
"""

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time

from cable.serial_board import SerialBoard

_ANSWER_S = 60
_PHONETERM = (sys.executable, "-c", "from phoneterm_cli.main import main; main()")


class BoardRow:
    """The boards; `port` is the same for all, and `boards` are those that were plugged in, the last one at the end."""

    def __init__(self, folder, flash=None):
        """Take the folder for the boards' flash, and the file that each one's flash is a copy of (None: empty)."""
        folder.mkdir()
        self.boards = []
        self._folder = folder
        self._flash = flash
        self._link = folder / "port"
        self.port = str(self._link)

    def plug_in(self, **options):
        """Unplug what is there, and plug in a new board with an address of its own; return it."""
        self.unplug()
        number = len(self.boards) + 1
        folder = self._folder / f"board-{number}"
        folder.mkdir()
        if self._flash is not None:
            shutil.copyfile(self._flash, folder / "flash.img")
        board = SerialBoard(folder, **{"mac": f"02005e0000{number:02x}"} | options)
        board.__enter__()
        self.boards.append(board)
        self._link.symlink_to(board.port)
        return board

    def unplug(self):
        """Pull the cable of the board that is plugged in, if any."""
        if self._link.is_symlink():
            self._link.unlink()
            self.boards[-1].unplug()

    def close(self):
        """Switch all boards off."""
        for board in self.boards:
            board.__exit__()


class AnsweredCommand:
    """A command, `phoneterm` by itself, as a process whose questions a test answers; `said` is all it has printed."""

    def __init__(self, *arguments, program=_PHONETERM, environment=None, folder=None):
        self.said = ""
        self._heard = 0
        self._process = subprocess.Popen(
            [*program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder,
            env=os.environ | (environment or {}), start_new_session=True,
        )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # with what a program such as make has started
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()

    def hear(self, text):
        """Wait until it has printed this since the last time; return what it has printed up to there."""
        deadline_s = time.monotonic() + _ANSWER_S
        while text not in self.said[self._heard :]:
            assert self._read(deadline_s), f"{text!r} was not said: {self.said!r}"
        first = self._heard
        self._heard = self.said.index(text, first) + len(text)
        return self.said[first : self._heard]

    def answer(self, line=""):
        """Type a line."""
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    def end(self):
        """Wait for its end; return the exit code and what it has printed since the last time."""
        self._process.stdin.close()
        deadline_s = time.monotonic() + _ANSWER_S
        while self._read(deadline_s):
            pass
        return self._process.wait(_ANSWER_S), self.said[self._heard :]

    def _read(self, deadline_s):
        """Add what it prints; return False at its end, and when there is nothing until the deadline."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(max(0, deadline_s - time.monotonic())):
                return False
        piece = os.read(self._process.stdout.fileno(), 65536)
        self.said += piece.decode()
        return bool(piece)
