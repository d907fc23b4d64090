"""A PbxLab with a stand-in of VoipNow: the simulator's calls, behind OAuth, UnifiedAPI and SystemAPI over HTTPS on
loopback.

Written from documents, samples and clients in use; no live VoipNow was at hand. The lab itself looks at the calls over
the simulator's AMI. The extensions are 0003*101 to 0003*103.
"""

import asyncio
import dataclasses
import ssl
import tempfile
from pathlib import Path

from pbx_lab.lab import LabOptions
from pbx_simulator.parties import Pairs
from pbx_simulator.simulator_lab import SimulatorLab
from phoneterm_bridge.broker.site_tls import BROKER, BROKER_KEY, CA, SiteTls

from voipnow_lab import call_events, phone_calls, schemas, system_api, tokens
from voipnow_lab.accounts import Accounts
from voipnow_lab.call_events import CallEvents
from voipnow_lab.call_table import ORGANIZATION, CallTable
from voipnow_lab.faults import SHOWN_ERRORS, Faults
from voipnow_lab.https_server import Answer, HttpsServer, Request
from voipnow_lab.phone_calls import PhoneCalls, refuse
from voipnow_lab.shapes import Shapes
from voipnow_lab.system_api import SystemApi
from voipnow_lab.tokens import Tokens

HOST = "127.0.0.1"
_DAYS = 1
_POLL_MS = 100
_PERMISSIONS_POLL_S = 5
DIGIT_MAP = f"internal:1xx|internal:{ORGANIZATION}*1xx|national:0[1-9]x.T|international:00[1-9]x.T"
_HTML = {"Content-Type": "text/html"}


class VoipNowLab(SimulatorLab):
    """See PbxLab. faults: what goes wrong; shapes: how it answers; events: who is told of calls; system: SystemAPI.

    permissions: where the bridge is to look who is multi user aware, "voipnow" or "store". requests: "METHOD /path" of
    everything that was asked; acted: the actions among them, by name, or "HangUp".
    """

    def __init__(self, options: LabOptions | None = None, permissions: str = "store") -> None:
        """Nothing listens yet."""
        self.faults = Faults()
        self.shapes = Shapes()
        self.tokens = Tokens()
        self.requests: list[str] = []
        self.acted: list[str] = []
        self.events = CallEvents()
        self.system = SystemApi(self.tokens, Accounts())
        self._permissions = permissions
        self._folder = tempfile.TemporaryDirectory(prefix="phoneterm-voipnow-")
        self._https: HttpsServer | None = None
        self._https_port = 0
        super().__init__(options)

    @property
    def url(self) -> str:
        """Where the bridge finds it; known once started."""
        return f"https://{HOST}:{self._https_port}"

    @property
    def ca_path(self) -> Path:
        """The CA of its certificate."""
        return Path(self._folder.name) / CA

    @property
    def bridge_settings(self) -> tuple[str, ...]:
        """The settings of a bridge for this PBX."""
        return (
            "pbx.kind=voipnow",
            f"voipnow.url={self.url}",
            f"voipnow.client_id={self.tokens.client_id}",
            f"voipnow.client_secret={self.tokens.client_secret}",
            f"voipnow.organization={ORGANIZATION}",
            f"voipnow.ca_path={self.ca_path}",
            f"voipnow.poll_ms={_POLL_MS}",
            f"voipnow.permissions={self._permissions}",
            f"voipnow.permissions_poll_s={_PERMISSIONS_POLL_S}",
            f"phones.digit_map={DIGIT_MAP}",
        )

    @property
    def where(self) -> str:
        """Where a bridge finds it, for people."""
        return f"UnifiedAPI at {self.url}, and SystemAPI"

    async def start(self) -> None:
        """Open all ports; all phones answer."""
        await super().start()
        site = SiteTls(Path(self._folder.name))
        await asyncio.to_thread(site.make, "the lab", [HOST], _DAYS)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(site.path(BROKER), site.path(BROKER_KEY))
        self._https = HttpsServer(context, self._answer)
        self._https_port = await self._https.start()
        self.system.open(self.url, Path(self._folder.name) / "schema")

    async def stop(self) -> None:
        """Close everything."""
        await self.events.stop()
        await self.close_https()
        await super().stop()
        self._folder.cleanup()

    async def close_https(self) -> None:
        """Let nobody reach UnifiedAPI, until `open_https`."""
        if self._https is not None:
            await self._https.stop()

    async def open_https(self) -> None:
        """Let it be reached again, at the same address."""
        if self._https is not None:
            await self._https.start(self._https_port)

    async def restart(self) -> None:
        """Crash and restart the PBX, with the same phones and without any call."""
        await self.close_https()
        await super().restart()
        await self.open_https()

    async def clear(self) -> None:
        """End every call, have all phones answer again, and let nothing go wrong any more."""
        self.faults.clear()
        for field in dataclasses.fields(Shapes):
            setattr(self.shapes, field.name, field.default)
        await super().clear()
        self.requests.clear()
        self.acted.clear()
        self.tokens.is_trusted = True
        self.system.clear()
        await self.events.stop()
        self.events.registrations.clear()
        self.events.told.clear()

    def _make_pbx(self) -> None:
        super()._make_pbx()
        self._table = CallTable(self.exchange, self.shapes)
        self._phone_calls = PhoneCalls(self.exchange, self._table, self.shapes, self._options)

    def _emit(self, name: str, pairs: Pairs) -> None:
        self._table.on_event(name, pairs)
        self.events.on_event(name, pairs)
        super()._emit(name, pairs)

    async def _answer(self, request: Request) -> Answer:
        """Answer one request, wrongly if a fault is due."""
        if system_api.name_of_operation(request) == system_api.UPDATE:
            self.acted.append(system_api.UPDATE)
        self.requests.append(f"{request.method} {request.path}")
        kind = _kind_of(request)
        way = None
        if kind == "action":
            name = phone_calls.name_of_action(request)
            self.acted.append(name)
            way = self.faults.take(name)
        way = way or self.faults.take(kind)
        if way == "cut-before":
            return Answer(is_cut=True)
        if way in SHOWN_ERRORS:
            return refuse(int(way), "at_the_labs_wish")
        if way is not None and way.startswith("fault "):
            return system_api.fault(way.removeprefix("fault "), "At the lab's wish.")
        if way == "redirect":
            return Answer(302, headers={"Location": f"{self.url}/elsewhere{request.path}"})
        if way == "lose-call":
            self._lose_call(request)
        answer = self._route(request)
        if way == "slow":
            await asyncio.sleep(self.faults.slow_s)
        if way == "external":
            return system_api.external(f"{self.url}/elsewhere/entity.txt")
        return _spoil(answer, way)

    def _route(self, request: Request) -> Answer:
        if request.path == tokens.PATH:
            return self.tokens.answer(request)
        if request.path.startswith(schemas.PATH):
            return self.system.document(request.path)
        if request.path in system_api.AGENTS:
            return self.system.answer(request)
        if not self.tokens.is_good(request):
            return refuse(401, "invalid_token")
        if request.path.startswith(phone_calls.PATH):
            return self._phone_calls.answer(request)
        if request.path.startswith(call_events.PATH):
            return self.events.answer(request)
        return refuse(404, "invalid_uri")

    def _lose_call(self, request: Request) -> None:
        """The party whom an action is about hangs up at the last moment."""
        extension, _, call_id = request.path.removeprefix(phone_calls.PATH).partition("/")[2].partition("/")
        channel = self._table.channel(call_id, extension)
        for other in tuple(channel.bridge.members) if channel is not None and channel.bridge is not None else ():
            if other is not channel:
                self.exchange.hang_up(other)


def _kind_of(request: Request) -> str:
    if request.path == tokens.PATH:
        return "token"
    if request.path.startswith(schemas.PATH):
        return "wsdl"
    if request.path in system_api.AGENTS:
        return "update" if system_api.name_of_operation(request) == system_api.UPDATE else "system"
    if not request.path.startswith(phone_calls.PATH):
        return "event"
    return "list" if request.method == "GET" else "action"


def _spoil(answer: Answer, way: str | None) -> Answer:
    """Return an answer as a fault leaves it."""
    match way:
        case "cut-after":
            return Answer(is_cut=True)
        case "half":
            return dataclasses.replace(answer, sent_bytes=len(answer.body) // 2)
        case "no-json":
            return Answer(200, b"<html><body>Under maintenance</body></html>", _HTML)
        case "bomb":
            return system_api.bomb()
        case "nothing":
            return Answer(204)
        case _:
            return answer
