"""Tells systemd the bridge's state (sd_notify), one datagram a message. Does not decide what is sent.

Without systemd, that is without NOTIFY_SOCKET in the environment, nothing is sent. A name that begins with "@" is an
abstract socket. A failure to send is ignored. Times are seconds.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


class ServiceManager:
    """The service manager that started this process, if one did; it must hear from us every `watchdog_s`."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._name = environment.get("NOTIFY_SOCKET", "")
        self.watchdog_s = _watchdog_s(environment)

    @property
    def is_there(self) -> bool:
        """Return whether there is a service manager that wants to be told."""
        return self._name[:1] in ("/", "@") and len(self._name) > 1

    def say(self, **words: str | int) -> None:
        """Send assignments such as READY=1 or STATUS="...", all in one datagram."""
        if not self.is_there:
            return
        text = "\n".join(f"{name}={str(word).replace(chr(10), ' ')}" for name, word in words.items())
        address = "\0" + self._name[1:] if self._name.startswith("@") else self._name
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notice:
            notice.setblocking(False)
            notice.sendto(text.encode(), address)


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """Return the time of the watchdog, if this process has one."""
    microseconds = environment.get("WATCHDOG_USEC", "")
    if not microseconds.isdecimal() or environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(microseconds) / 1_000_000 or None
