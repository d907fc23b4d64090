"""A web page elsewhere reads the bridge's metrics under a name of its own that leads here, or posts to them."""

import asyncio
import http.client

from attack_lab.probe import Probe
from attack_lab.site import Site

_PAGES = ("/healthz", "/readyz", "/metrics", "/openapi.json")
_HOSTS = (
    "evil.example",
    "evil.example:80",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "[::1%evil.example]",
    "",
    "[",
)
_METHODS = ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "EVIL")
_MISDIRECTED, _NOT_ALLOWED = 421, 405


class WebPageAtPages(Probe):
    """See `sentence`."""

    name = "web page: health, metrics"
    sentence = "each page asked under other names (DNS rebinding), and with every method but GET and HEAD"

    async def run(self, site: Site) -> str | None:
        """Ask for each page in each way."""
        scene = await site.open(has_pages=True)
        port = scene.bridge.http_port
        assert port is not None
        for page in _PAGES:
            for host in _HOSTS:
                if (status := await asyncio.to_thread(_ask, port, page, "GET", host)) != _MISDIRECTED:
                    return f"{page} answered {status} to the name {host!r}"
            for method in _METHODS:
                if (status := await asyncio.to_thread(_ask, port, page, method, "localhost")) != _NOT_ALLOWED:
                    return f"{page} answered {status} to {method}"
        status = await asyncio.to_thread(_ask, port, "/healthz", "GET", "localhost")
        return None if status == http.client.OK else f"/healthz answers {status} afterwards"


def _ask(port: int, page: str, method: str, host: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, page, headers={"Host": host})
        return connection.getresponse().status
    finally:
        connection.close()
