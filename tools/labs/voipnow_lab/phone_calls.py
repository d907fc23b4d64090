"""UnifiedAPI's PhoneCalls at the stand-in: lists and makes calls, transfers, holds, hangs up. Does not check tokens.

As on a real server, an action without a call's id is carried out on every call of the extension, and a call that is
made rings at the phone of its source first.
"""

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs, unquote

from pbx_lab.lab import CONTEXT, LabOptions
from pbx_simulator.dialplan import has_number
from pbx_simulator.exchange import Exchange
from pbx_simulator.parties import Channel

from voipnow_lab.call_table import GIVEN_CALLER_ID, ORGANIZATION, CallTable, short
from voipnow_lab.https_server import Answer, Request
from voipnow_lab.shapes import Shapes

PATH = "/uapi/phoneCalls/"
_USERS = ("@me", "@viewer", "@owner")
_USUAL_PAGE = 20
_ACTIONS = ("Transfer", "OnHold", "OffHold")
_SIMPLE = "simple"
MAKING = "MakeCall"


class PhoneCalls:
    """The resource phoneCalls of one exchange."""

    def __init__(self, exchange: Exchange, table: CallTable, shapes: Shapes, options: LabOptions) -> None:
        """Serve this exchange."""
        self._exchange = exchange
        self._table = table
        self._shapes = shapes
        self._options = options

    def answer(self, request: Request) -> Answer:
        """Answer one request: /uapi/phoneCalls/{user}/{extension}[/{call}]."""
        parts = [unquote(part) for part in request.path.removeprefix(PATH).split("/") if part]
        if len(parts) not in (2, 3) or not (parts[0] in _USERS or parts[0].isdecimal()):
            return refuse(400, "invalid_uri")
        if request.method == "POST":
            return self._make(request) if parts[1:] == [_SIMPLE] else refuse(400, "invalid_uri")
        extension, call_id = parts[1], parts[2] if len(parts) == 3 else None
        if extension != "@self" and not extension.startswith(f"{ORGANIZATION}*"):
            return refuse(403, "access_denied")
        if request.method == "GET":
            return self._list(request, extension, call_id)
        if request.method == "DELETE":
            return self._act(extension, call_id, self._hang_up)
        return self._update(request, extension, call_id) if request.method == "PUT" else refuse(400, "invalid_method")

    def _list(self, request: Request, extension: str, call_id: str | None) -> Answer:
        asked = {name: values[0] for name, values in parse_qs(request.query).items()}
        start, count = int(asked.get("startIndex", "0")), int(asked.get("count", _USUAL_PAGE))
        calls = [call for call in self._table.calls(extension) if call_id in (None, call["id"])]
        page = calls[start : start + min(count, self._shapes.page)]
        if not calls and self._shapes.empty == "204":
            return Answer(204)
        fields: dict[str, Any] = {"totalResults": len(calls), "itemsPerPage": len(page), "startIndex": start}
        if page:
            fields["entry"] = page if self._shapes.entries == "array" else {call["id"]: call for call in page}
        if start + len(page) < len(calls):
            fields["paging"] = {"next": f"https://elsewhere.invalid{request.path}?startIndex={start + len(page)}"}
        return say(fields)

    def _update(self, request: Request, extension: str, call_id: str | None) -> Answer:
        try:
            wanted = json.loads(request.body)
            action = wanted["action"]
        except (ValueError, TypeError, KeyError):
            return refuse(400, "invalid_payload")
        if action not in _ACTIONS:
            return refuse(400, "invalid_action")
        if action == "Transfer":
            return self._transfer(extension, call_id, wanted)
        view_id = str(wanted.get("phoneCallViewId", ""))
        return self._act(extension, call_id, lambda channel: self._hold(channel, action == "OnHold"), view_id)

    def _transfer(self, extension: str, call_id: str | None, wanted: dict[str, Any]) -> Answer:
        number = short(str(wanted.get("sendCallTo", "")))
        if not number or not (wanted.get("transferFromNumber") or wanted.get("phoneCallViewId")):
            return refuse(400, "invalid_payload")
        if self._shapes.checks_target and not has_number(CONTEXT, number, self._options):
            return refuse(400, "invalid_destination")
        if wanted.get("transferFromNumber") not in (None, extension):
            return refuse(400, "invalid_transfer_number")
        view_id = str(wanted.get("phoneCallViewId", ""))
        return self._act(extension, call_id, lambda channel: self._send_away(channel, number), view_id)

    def _make(self, request: Request) -> Answer:
        """Ring the source; when it is picked up, call the destination."""
        try:
            wanted = json.loads(request.body)
            (view,) = wanted["phoneCallView"]
            ((source,), (destination,), extension) = view["source"], view["destination"], str(wanted["extension"])
        except (ValueError, TypeError, KeyError):
            return refuse(400, "invalid_payload")
        number = short(str(destination))
        if not extension.startswith(f"{ORGANIZATION}*") or source != extension:
            return refuse(403, "access_denied")
        if self._shapes.checks_target and not has_number(CONTEXT, number, self._options):
            return refuse(400, "invalid_destination")
        channel = self._exchange.ring_first(short(extension), number)
        channel.variables[GIVEN_CALLER_ID] = str(view.get("callerId", ""))
        if not self._shapes.names_made_call:
            return Answer(204)
        call = self._table.call(self._table.id_of(channel), extension)
        return say([call] if self._shapes.updated == "array" else call)

    def _act(self, extension: str, call_id: str | None, act: Any, view_id: str = "") -> Answer:
        """Act on one call of the extension, or on all of them when no call is named."""
        ids = [call_id] if call_id else [call["id"] for call in self._table.calls(extension)]
        found = []
        for one in ids:
            named = self._table.channel_of_view(one, view_id) if view_id else None
            channel = named or self._table.channel(one, extension)
            if channel is None or (channel.bridge is None and act != self._hang_up):
                return refuse(400, "invalid_phonecall")
            found.append((channel, self._table.call(one, extension)))
        for channel, _ in found:
            if self._shapes.effect_after_s:
                asyncio.get_running_loop().call_later(self._shapes.effect_after_s, act, channel)
            else:
                act(channel)
        calls = [call for _, call in found]
        return say(calls if self._shapes.updated == "array" else calls[0]) if calls else Answer(204)

    def _send_away(self, channel: Channel, number: str) -> None:
        self._exchange.blind_transfer(channel, number)

    def _hold(self, channel: Channel, is_on: bool) -> None:
        self._exchange.hold(channel, is_on)

    def _hang_up(self, channel: Channel) -> None:
        self._exchange.hang_up(channel)


def name_of_action(request: Request) -> str:
    """Return what a request wants to be done: an action's name, MAKING, or "HangUp"."""
    if request.method != "PUT":
        return "HangUp" if request.method == "DELETE" else MAKING
    try:
        return str(json.loads(request.body)["action"])
    except (ValueError, TypeError, KeyError):
        return ""


def say(content: object) -> Answer:
    """Return an answer with JSON."""
    return Answer(body=json.dumps(content).encode(), headers={"Content-Type": "application/json"})


def refuse(status: int, code: str) -> Answer:
    """Return an error as UnifiedAPI words it."""
    body = json.dumps({"error": {"code": code, "message": f"The request was refused: {code}."}})
    return Answer(status, body.encode(), {"Content-Type": "application/json"})
