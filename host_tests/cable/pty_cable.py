"""The board's end of a cable: a pseudo-terminal whose other end is the serial port that a tool opens.

Does not know what runs on the board. Unread output is kept, up to a limit.
"""

import contextlib
import fcntl
import os
import struct
import termios
import tty

_MOST_UNREAD_BYTES = 65536


class PtyCable:
    """The cable; a tool opens `port`.

    A chip with its own USB has a port whose name stays the same when it is plugged in again. It sends only once a
    computer has opened the port. Opening a port empties it; that is how an opening is detected.
    """

    def __init__(self, folder, has_own_usb):
        self._link = folder / "ttyACM0"
        self._has_own_usb = has_own_usb
        self.fd = None
        self._plug_in()
        self.port = str(self._link) if has_own_usb else os.ttyname(self._there)

    @property
    def has_unread(self):
        """Say whether the computer has not read everything yet."""
        return bool(self._unread)

    def read(self):
        """Return the computer's input; nothing when nobody has the port open."""
        try:
            data = os.read(self.fd, 4096)
        except OSError:
            return b""
        if not self._has_own_usb:
            return data
        self._is_opened = self._is_opened or bool(data[0] & termios.TIOCPKT_FLUSHREAD)
        return data[1:]

    def write(self, data):
        """Send, or keep for later; a cable that is pulled keeps nothing."""
        if self.fd is None:
            return
        self._unread = (self._unread + data)[-_MOST_UNREAD_BYTES:]
        self.flush()

    def flush(self):
        """Send kept output, as far as the computer reads it."""
        with contextlib.suppress(BlockingIOError):
            while self._unread and self._is_opened and self.fd is not None:
                self._unread = self._unread[os.write(self.fd, self._unread) :]

    def pull(self):
        """Unplug the cable for good."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd, self._unread = None, b""

    def replug(self):
        """Unplug the cable and plug it in again, with a new terminal under the old name."""
        self._link.unlink()
        self.pull()
        os.close(self._there)
        self._plug_in()

    def close(self):
        """Close everything."""
        self.pull()
        os.close(self._there)

    def _plug_in(self):
        self._unread = b""
        self.fd, self._there = os.openpty()
        tty.setraw(self._there)
        os.set_blocking(self.fd, False)
        self._is_opened = not self._has_own_usb
        if self._has_own_usb:
            fcntl.ioctl(self.fd, termios.TIOCPKT, struct.pack("i", 1))
        fresh = self._link.with_suffix(".new")
        fresh.symlink_to(os.ttyname(self._there))
        fresh.replace(self._link)
