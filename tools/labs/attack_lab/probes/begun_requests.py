"""Connections to the bridge's pages that begin a request and never end it. Reads nothing of the pages by them."""

import asyncio
import http.client
import socket

from attack_lab.probe import Probe
from attack_lab.site import EMBEDDED, Site

_CONNECTIONS = 100
_BEGUN = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: "


class BegunRequests(Probe):
    """See `sentence`."""

    name = "begun requests"
    sentence = f"{_CONNECTIONS} connections to the pages that each begin a request and never end it"
    brokers = (EMBEDDED,)  # the pages are the same with every broker

    async def run(self, site: Site) -> str | None:
        """Open them, and ask beside them."""
        scene = await site.open(has_pages=True)
        port = scene.bridge.http_port
        assert port is not None
        for _ in range(_CONNECTIONS):
            one = site.stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            one.send(_BEGUN)
        status = await asyncio.to_thread(_ask, port)
        return None if status == http.client.OK else f"beside them, /healthz answered {status}"


def _ask(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    finally:
        connection.close()
