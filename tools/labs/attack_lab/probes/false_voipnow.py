"""A VoipNow that is not the site's: with a certificate of another CA, for another name, or out of date, or one that
sends the bridge elsewhere. `test_unified_api` has more of what it can answer."""

import asyncio
from contextlib import suppress
from pathlib import Path

from phoneterm_bridge.broker.site_tls import BROKER, BROKER_KEY, CA, SiteTls
from phoneterm_bridge.broker.tls import make_server_context
from phoneterm_bridge.pbx.voipnow.failures import AppRefused, NoAnswer, NotDone, Refused
from phoneterm_bridge.pbx.voipnow.unified_api import UnifiedApi
from phoneterm_bridge.settings.voipnow import VoipNowSettings
from pydantic import SecretStr

from attack_lab.probe import WITHOUT_BROKER, Probe
from attack_lab.scenery.crowd import NAME
from attack_lab.scenery.false_certificates import make_false, make_own
from attack_lab.site import Site

_OF_THE_APP = "of-the-app"
_MOST_BYTES = 10_000


class FalseVoipNow(Probe):
    """See `sentence`."""

    name = "false VoipNow"
    sentence = (
        "a certificate of another CA, for another name, out of date, a redirect: it must not get the app's secret"
    )
    brokers = WITHOUT_BROKER

    async def run(self, site: Site) -> str | None:
        """Be each of them, and see whether the bridge says its app's secret."""
        own = make_own(site)
        for what, shown, ca_path in make_false(site, own):
            async with _Listener(shown) as listener:
                await _ask(listener.url, ca_path)
            if listener.heard:
                return f"to a VoipNow with a certificate {what} the bridge said {listener.heard[:12]!r}..."
        return await _redirect(own)


async def _redirect(own: SiteTls) -> str | None:
    """Be the right one, and send the bridge to another one that it would trust too."""
    async with _Listener(own) as other, _Listener(own, f"{other.url}/oauth/token.php") as right:
        await _ask(right.url, own.path(CA))
    if _OF_THE_APP.encode() not in right.heard:
        return "to the right VoipNow the bridge said nothing"
    return f"the bridge followed a redirect and said {other.heard[:12]!r}..." if other.heard else None


class _Listener:
    """Hears what is said under TLS, and answers with a redirect, if it is told one."""

    def __init__(self, shown: SiteTls, redirect: str = "") -> None:
        self._context = make_server_context(shown.path(BROKER), shown.path(BROKER_KEY))
        self._answer = (
            f"HTTP/1.1 307 Elsewhere\r\nLocation: {redirect}\r\nContent-Length: 0\r\n\r\n" if redirect else ""
        )
        self.heard = b""

    async def __aenter__(self) -> "_Listener":
        self._server = await asyncio.start_server(self._hear, "127.0.0.1", 0, ssl=self._context)
        self.url = f"https://{NAME}:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while self._is_waiting() and (part := await reader.read(_MOST_BYTES)):
                self.heard += part
            writer.write(self._answer.encode())
            await writer.drain()
        writer.close()

    def _is_waiting(self) -> bool:
        """Say whether the request is not there yet; its form ends with what comes after the secret."""
        return b"redirect_uri=" not in self.heard


async def _ask(url: str, ca_path: Path) -> None:
    """Have the bridge ask a VoipNow for its calls."""
    settings = VoipNowSettings(
        url=url, client_id="app", client_secret=SecretStr(_OF_THE_APP), organization="1", ca_path=ca_path
    )
    api = UnifiedApi(settings)
    with suppress(NotDone, NoAnswer, Refused, AppRefused):
        await api.calls()
    await api.close()
