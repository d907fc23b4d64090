"""A serial port that is read only until a deadline, for readers that wait for a silence. Does not know who reads."""

import time
from typing import Any


class PortNeverSilent(Exception):
    """The deadline has passed, and there was always something to read."""


class LimitedPort:
    """A port, else as it is. deadline_s: monotonic seconds; heard: all that was read."""

    def __init__(self, port: Any, deadline_s: float) -> None:
        self._port = port
        self._deadline_s = deadline_s
        self.heard = bytearray()

    def read(self, size: int = 1) -> bytes:
        """Read as the port does; PortNeverSilent once the deadline has passed and there is still something."""
        data: bytes = self._port.read(size)
        self.heard += data
        if data and time.monotonic() >= self._deadline_s:
            raise PortNeverSilent
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)
