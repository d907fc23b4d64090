"""An HTTPS server on loopback whose answers a test writes, and access to it as the backend has it.

Does not know VoipNow beyond a token: `answer` gets every request that is not for one.
"""

import asyncio
import json
import ssl

from phoneterm_bridge.broker.site_tls import BROKER, BROKER_KEY, CA, SiteTls
from phoneterm_bridge.pbx.voipnow.unified_api import UnifiedApi
from phoneterm_bridge.settings.voipnow import VoipNowSettings
from voipnow_lab.https_server import Answer, HttpsServer
from voipnow_lab.tokens import PATH as TOKEN_PATH

HOST = "127.0.0.1"


def say(document, status=200, **headers):
    """Return an answer with JSON."""
    return Answer(status, json.dumps(document).encode(), headers)


class Scripted:
    """The server; `requests` are those that came, `token_answers` the answers to come for a token."""

    def __init__(self, folder):
        self.site = SiteTls(folder / "tls")
        self.requests = []
        self.tokens_asked = 0
        self.token_answers = []
        self.answer = lambda request: say({"totalResults": 0})

    async def start(self):
        await asyncio.to_thread(self.site.make, "the test", [HOST], 1)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.site.path(BROKER), self.site.path(BROKER_KEY))
        self.server = HttpsServer(context, self._answer)
        self.port = await self.server.start()

    async def stop(self):
        await self.server.stop()

    def settings(self, **changes):
        """Return the settings of a bridge for this server."""
        usual = {"url": f"https://{HOST}:{self.port}", "ca_path": self.site.path(CA), "organization": "0003"}
        return VoipNowSettings(**(usual | {"client_id": "app", "client_secret": "hush-hush"} | changes))

    def api(self, **changes):
        return UnifiedApi(self.settings(**changes))

    async def _answer(self, request):
        if request.path == TOKEN_PATH:
            self.tokens_asked += 1
            usual = say({"access_token": f"1|ab~{self.tokens_asked}", "expires_in": 3600, "token_type": "Bearer"})
            return self.token_answers.pop(0) if self.token_answers else usual
        self.requests.append(request)
        answer = self.answer(request)
        return await answer if asyncio.iscoroutine(answer) else answer
