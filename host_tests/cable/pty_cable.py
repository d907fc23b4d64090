"""The board's end of a cable: a pseudo-terminal whose other end is the serial port that a tool opens.

Does not know what runs on the board. What nobody reads is kept, up to a limit; `is_pulled` after `pull`.
"""

import contextlib
import os
import tty

_MOST_UNREAD_BYTES = 65536


class PtyCable:
    """The cable; `port` is a name in the folder that stays the same when it is plugged in again, or the terminal's."""

    def __init__(self, folder, has_lasting_name):
        self._link = folder / "ttyACM0"
        self._unread = b""
        self.fd = None
        self._plug_in()
        self.port = str(self._link) if has_lasting_name else os.ttyname(self._there)

    @property
    def has_unread(self):
        """Say whether the computer has not taken everything yet."""
        return bool(self._unread)

    def read(self):
        """Return what the computer has sent; nothing when nobody has the port open."""
        try:
            return os.read(self.fd, 4096)
        except OSError:
            return b""

    def write(self, data):
        """Send, or keep for later."""
        self._unread = (self._unread + data)[-_MOST_UNREAD_BYTES:]
        self.flush()

    def flush(self):
        """Send what was kept, as far as the computer takes it."""
        with contextlib.suppress(BlockingIOError):
            while self._unread and self.fd is not None:
                self._unread = self._unread[os.write(self.fd, self._unread) :]

    def pull(self):
        """Take the cable away for good."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None

    def replug(self):
        """Take the cable away and plug it in again, with a new terminal under the old name."""
        self._link.unlink()
        self.pull()
        os.close(self._there)
        self._plug_in()

    def close(self):
        """Give everything back."""
        self.pull()
        os.close(self._there)

    def _plug_in(self):
        self.fd, self._there = os.openpty()
        tty.setraw(self._there)
        os.set_blocking(self.fd, False)
        fresh = self._link.with_suffix(".new")
        fresh.symlink_to(os.ttyname(self._there))
        fresh.replace(self._link)
