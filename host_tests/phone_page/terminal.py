"""A terminal that a test is at: a program runs in it, and what it writes is kept."""

import asyncio
import contextlib
import fcntl
import os
import struct
import termios

from hangups import hear_hangups

_DEADLINE_S = 90  # a busy computer may need it
ALTERNATE, USUAL = b"\x1b[?1049h", b"\x1b[?1049l"


class Terminal:
    """A pseudo-terminal with one program in it, for `async with`."""

    def __init__(self, *command, columns=80, rows=24, kind="xterm-256color"):
        self._command = command
        self._kind = kind
        self._near, self._far = os.openpty()
        self.written = b""
        self.resize(columns, rows)
        self.settings = termios.tcgetattr(self._near)

    async def __aenter__(self):
        self.process = await asyncio.create_subprocess_exec(
            *self._command, stdin=self._far, stdout=self._far, stderr=self._far,
            env=dict(os.environ, TERM=self._kind, PYTHONUNBUFFERED="1"),
            preexec_fn=hear_hangups,
        )  # fmt: skip
        os.set_blocking(self._near, False)
        asyncio.get_running_loop().add_reader(self._near, self._read)
        return self

    async def __aexit__(self, *_):
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        asyncio.get_running_loop().remove_reader(self._near)
        os.close(self._near)
        os.close(self._far)

    def _read(self):
        with contextlib.suppress(OSError):
            self.written += os.read(self._near, 65536)

    def enter(self, keys):
        """Press keys of the keyboard."""
        os.write(self._near, keys)

    def resize(self, columns, rows):
        """Give the terminal another size; a program in it has to be told by SIGWINCH."""
        fcntl.ioctl(self._near, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def is_as_before(self):
        """Whether a shell would find the terminal as it left it."""
        is_usual = self.written.rfind(USUAL) > self.written.rfind(ALTERNATE)
        return is_usual and termios.tcgetattr(self._near) == self.settings

    async def until(self, octets):
        """Wait until the program has written this."""
        try:
            async with asyncio.timeout(_DEADLINE_S):
                while octets not in self.written:  # noqa: ASYNC110 - a program writes when it likes
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"{octets!r} did not come: {self.written[-3000:]}") from None
