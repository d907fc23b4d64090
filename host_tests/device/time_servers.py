"""Time servers on loopback that answer as a test says, right or wrong. Not a clock."""

import calendar
import socket
import struct
import threading

TO_1970_S = 2208988800  # from 1900


def at(year, month=6, day=1):
    """Return a time in seconds since 1900, as far as 32 bits go."""
    return (calendar.timegm((year, month, day, 12, 0, 0)) + TO_1970_S) % (1 << 32)


def answer(query, seconds, stratum=2, first=0x24, origin=None):
    """Return the 48 bytes of an answer to a query."""
    origin = query[40:48] if origin is None else origin
    return struct.pack("!BBbb20x8sQII", first, stratum, 6, -20, origin, 0, seconds, 1 if seconds else 0)


class TimeServers:
    """Servers on 127.0.0.1, 127.0.0.2 and 127.0.0.3 with one port; `asked` are the last numbers of their addresses."""

    def __init__(self, *scripts):
        """Take for each server a function of the query that returns the datagrams to send."""
        self.asked = []
        self._scripts = scripts
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM)]
        self._sockets[0].bind(("127.0.0.1", 0))
        self.port = self._sockets[0].getsockname()[1]
        for number in range(2, len(scripts) + 1):
            self._sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            self._sockets[-1].bind((f"127.0.0.{number}", self.port))
        self._threads = [threading.Thread(target=self._serve, args=(number,)) for number in range(len(scripts))]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        for one in self._sockets:
            one.sendto(b"", one.getsockname())
        for thread in self._threads:
            thread.join()
        for one in self._sockets:
            one.close()

    def _serve(self, number):
        server = self._sockets[number]
        while True:
            query, asker = server.recvfrom(1024)
            if not query:
                return
            self.asked.append(number + 1)
            for datagram in self._scripts[number](query):
                server.sendto(datagram, asker)
