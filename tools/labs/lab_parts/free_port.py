"""Finds free ports of 127.0.0.1, for programs that must be told theirs. Does not reserve any.

They lie below those that Linux gives to connections and to whoever asks for any port (32,768 and above): one of these
may be given away before the program that was told it has begun to listen.
"""

import secrets
import socket
from contextlib import suppress

_FROM, _BELOW = 10_000, 32_768


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port that was free a moment ago; kind: socket.SOCK_STREAM or SOCK_DGRAM."""
    while True:
        port = _FROM + secrets.randbelow(_BELOW - _FROM)
        with suppress(OSError), socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", port))
            return port


def free_ports(count: int) -> list[int]:
    """Return so many different ports that were free a moment ago."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return list(found)
