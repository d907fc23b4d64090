"""UnifiedAPI's phoneCallEvents at the stand-in: who is told of which extension's calls, and the telling.

Does not sign, repeat or acknowledge anything, as VoipNow does not, and tells nothing of holds and transfers. One
registration is for one extension and one kind of happening.
"""

import asyncio
import json
import secrets
from dataclasses import dataclass
from urllib.parse import unquote

import httpx
from pbx_simulator.parties import Pairs

from voipnow_lab.call_table import extended
from voipnow_lab.https_server import Answer, Request
from voipnow_lab.phone_calls import refuse, say

PATH = "/uapi/extensions/"
_RESOURCE = "phoneCallEvents"
_DIALLED_IN, _DIALLED_OUT, _HUNG_UP, _ANSWERED_IN, _ANSWERED_OUT = "0", "1", "2", "3", "4"
_KINDS = (_DIALLED_IN, _DIALLED_OUT, _HUNG_UP, _ANSWERED_IN, _ANSWERED_OUT)
_PATIENCE_S = 5.0


@dataclass(frozen=True)
class Registration:
    """Who is told of one kind of happening at an extension."""

    id: str
    extension: str
    kind: str
    url: str
    note: str


class CallEvents:
    """All registrations. told: (extension, kind) of everything that was told."""

    def __init__(self) -> None:
        """Nobody is told anything."""
        self.registrations: list[Registration] = []
        self.told: list[tuple[str, str]] = []
        self._client: httpx.AsyncClient | None = None
        self._telling: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """Tell nothing any more."""
        for task in tuple(self._telling):
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def answer(self, request: Request) -> Answer:
        """Answer one request: /uapi/extensions/{user}/{extension}/phoneCallEvents[/{type}[/{id}]]."""
        parts = [unquote(part) for part in request.path.removeprefix(PATH).split("/") if part]
        if len(parts) not in (3, 4, 5) or parts[2] != _RESOURCE or parts[1] == "@self":
            return refuse(400, "invalid_uri")
        concerned = [one for one in self.registrations if one.extension == parts[1]]
        for value, name in zip(parts[3:], ("kind", "id"), strict=False):
            concerned = [one for one in concerned if getattr(one, name) == value]
        if request.method == "GET":
            entries = [{"id": one.id, "type": one.kind, "url": one.url, "note": one.note} for one in concerned]
            return say({"totalResults": len(entries), "entry": entries}) if entries else Answer(204)
        if request.method == "DELETE":
            self.registrations = [one for one in self.registrations if one not in concerned]
            return Answer(204)
        return self._add(request, parts[1]) if request.method == "POST" else refuse(400, "invalid_method")

    def on_event(self, name: str, pairs: Pairs) -> None:
        """Tell of something that has happened at a phone."""
        fields = dict(pairs)
        extension = extended(fields.get("Channel", "").removeprefix("PJSIP/").rpartition("-")[0])
        kind = _kind_of(name, fields)
        for one in self.registrations:
            if kind is not None and (one.extension, one.kind) == (extension, kind):
                self._tell(one, fields)

    def _add(self, request: Request, extension: str) -> Answer:
        try:
            wanted = json.loads(request.body)
            kind, url, note = str(wanted["type"]), str(wanted["url"]), str(wanted.get("note", ""))
        except (ValueError, TypeError, KeyError):
            return refuse(400, "invalid_payload")
        if kind not in _KINDS or not url.startswith(("http://", "https://")):
            return refuse(400, "invalid_payload")
        one = Registration(secrets.token_hex(8), extension, kind, url, note)
        self.registrations.append(one)
        return say({"id": one.id})

    def _tell(self, one: Registration, fields: dict[str, str]) -> None:
        said = {
            "CallID": fields.get("Linkedid", ""), "CallerIDNum": fields.get("CallerIDNum", ""),
            "CalledExtension": fields.get("Exten", ""), "CallStatus": one.kind,
        }  # fmt: skip
        task = asyncio.get_running_loop().create_task(self._post(one, said))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _post(self, one: Registration, said: dict[str, str]) -> None:
        if self._client is None:
            self._client = httpx.AsyncClient(trust_env=False, timeout=_PATIENCE_S)
        self.told.append((one.extension, one.kind))
        try:
            await self._client.post(one.url, data=said)
        except httpx.HTTPError:
            return  # nobody is there, and VoipNow does not try again


def _kind_of(name: str, fields: dict[str, str]) -> str | None:
    state = fields.get("ChannelStateDesc")
    if name == "Newchannel" and state == "Ring":
        return _DIALLED_OUT
    if name == "Newstate" and state == "Ringing":
        return _DIALLED_IN
    if name == "Newstate" and state == "Up":
        return _ANSWERED_IN
    if name == "DialEnd" and fields.get("DialStatus") == "ANSWER":
        return _ANSWERED_OUT
    return _HUNG_UP if name == "Hangup" else None
