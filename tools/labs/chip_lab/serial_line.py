"""The cable between a chip's serial port and a tool: a pseudo-terminal that is no faster than a real line.

Does not know what is said on it. A tool opens `port`, which stays when the chip loses its power, as with a USB
converter. What comes while nobody has it open is lost.
"""

import asyncio
import contextlib
import fcntl
import os
import struct
import termios
import tty
from collections.abc import Callable

BYTES_PER_S = 11_520  # 115,200 baud, ten bits a byte
_SLICE_BYTES = 16
_MOST_UNREAD_BYTES = 65_536
_READ_BYTES = 4096


class SerialLine:
    """One cable; `to_chip` is called with what a tool sends. It starts with `open` and ends with `close`."""

    def __init__(self, to_chip: Callable[[bytes], None]) -> None:
        self.port = ""
        self._to_chip = to_chip
        self._fd = self._there = -1
        self._unread = b""
        self._unsent = bytearray()
        self._is_sending = False

    def open(self) -> None:
        """Create the port."""
        self._fd, self._there = os.openpty()
        tty.setraw(self._there)
        os.set_blocking(self._fd, False)
        fcntl.ioctl(self._fd, termios.TIOCPKT, struct.pack("i", 1))  # reports when a tool opens the port and flushes it
        self.port = os.ttyname(self._there)
        asyncio.get_running_loop().add_reader(self._fd, self._take_from_tool)

    def close(self) -> None:
        """Remove the port."""
        if self._fd < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._fd)
        loop.remove_writer(self._fd)
        os.close(self._fd)
        os.close(self._there)
        self._fd = self._there = -1

    def take_from_chip(self, data: bytes) -> None:
        """Pass on what the chip has sent; a slow tool gets it later."""
        self._unread = (self._unread + data)[-_MOST_UNREAD_BYTES:]
        self._flush()

    def send(self, data: bytes) -> None:
        """Send bytes to the chip as a tool would."""
        self._unsent += data
        if not self._is_sending:
            self._is_sending = True
            self._send(asyncio.get_running_loop().time())

    def forget_unsent(self) -> None:
        """Drop what is still on its way, as a chip without power does."""
        self._unsent.clear()

    def _flush(self) -> None:
        if self._fd < 0:
            return
        loop = asyncio.get_running_loop()
        with contextlib.suppress(BlockingIOError):
            self._unread = self._unread[os.write(self._fd, self._unread) :] if self._unread else b""
        if self._unread:
            loop.add_writer(self._fd, self._flush)
        else:
            loop.remove_writer(self._fd)

    def _take_from_tool(self) -> None:
        try:
            packet = os.read(self._fd, _READ_BYTES)
        except OSError:
            return
        if packet[0]:
            if packet[0] & termios.TIOCPKT_FLUSHREAD:
                self._unread = b""
            return
        self.send(packet[1:])

    def _send(self, due_s: float) -> None:
        """Send the next few bytes, and continue when a real line would be free for more."""
        part = bytes(self._unsent[:_SLICE_BYTES])
        del self._unsent[: len(part)]
        if not part or self._fd < 0:
            self._is_sending = False
            return
        self._to_chip(part)
        due_s = max(due_s, asyncio.get_running_loop().time() - 0.05) + len(part) / BYTES_PER_S
        asyncio.get_running_loop().call_at(due_s, self._send, due_s)
