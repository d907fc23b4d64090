"""The token that a control socket wants before anything else, in a file that only its user can read.

Any web page in a browser, and any user of this computer, can connect to 127.0.0.1; neither can read that file. The
first line of a connection must be the token: what begins with anything else, as HTTP does, is not answered.
Does not listen and does not connect.
"""

import asyncio
import hmac
import os
import secrets
from pathlib import Path

import platformdirs

_FIRST_LINE_S = 10
_FOLDER_MODE, _FILE_MODE = 0o700, 0o600


class ControlToken:
    """The token of one listening socket; its file is there until `remove`."""

    def __init__(self, port: int) -> None:
        self._path = path_of(port)
        self._line = secrets.token_urlsafe(32).encode() + b"\n"
        self._path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        self._path.parent.chmod(_FOLDER_MODE)
        self._path.unlink(missing_ok=True)  # of one that was killed
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
        try:
            os.write(file, self._line)
        finally:
            os.close(file)

    async def admits(self, reader: asyncio.StreamReader) -> bool:
        """Return whether a connection begins with the token, as a line of its own."""
        try:
            async with asyncio.timeout(_FIRST_LINE_S):
                line = await reader.readuntil(b"\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, OSError):
            return False
        return hmac.compare_digest(line, self._line)

    def remove(self) -> None:
        """Take the file away."""
        self._path.unlink(missing_ok=True)


def path_of(port: int) -> Path:
    """Return the file with the token of the socket at this port."""
    return Path(platformdirs.user_cache_dir("phoneterm")) / "control" / str(port)


def read_token(port: int) -> bytes | None:
    """Return the first line for the socket at this port; None when there is no token that this user can read."""
    try:
        return path_of(port).read_bytes()
    except OSError:
        return None
