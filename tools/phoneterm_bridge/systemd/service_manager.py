"""Tells systemd how the bridge is (sd_notify): one datagram for each thing to say. Does not decide what is said.

Without systemd, that is without NOTIFY_SOCKET in the environment, nothing is sent. A name that begins with "@" is an
abstract socket. What cannot be sent is not worth stopping for. Times are seconds.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


class ServiceManager:
    """The service manager that started this process, if one did; `watchdog_s` is how often it must hear of us."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._name = environment.get("NOTIFY_SOCKET", "")
        self.watchdog_s = _watchdog_s(environment)

    @property
    def is_there(self) -> bool:
        """Say whether somebody wants to be told."""
        return self._name[:1] in ("/", "@") and len(self._name) > 1

    def say(self, **words: str | int) -> None:
        """Send words such as READY=1 or STATUS="...", all in one datagram."""
        if not self.is_there:
            return
        text = "\n".join(f"{name}={str(word).replace(chr(10), ' ')}" for name, word in words.items())
        address = "\0" + self._name[1:] if self._name.startswith("@") else self._name
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notice:
            notice.setblocking(False)
            notice.sendto(text.encode(), address)


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """Return the watchdog's time, if there is one for this process."""
    microseconds = environment.get("WATCHDOG_USEC", "")
    if not microseconds.isdecimal() or environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(microseconds) / 1_000_000 or None
