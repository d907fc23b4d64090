"""UnifiedAPI: reads lists of calls, has VoipNow make one, act on one, or tell of calls. Does not decide when.

Only reads are repeated, once. An action is sent once, whatever comes, and always names its call: without a call
VoipNow would act on every call of the extension, so an empty id is refused before there is an address to send to
(ValueError: our own mistake). Errors are those of `failures`.
"""

import math
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from phoneterm_bridge.pbx.voipnow.app_token import AppToken
from phoneterm_bridge.pbx.voipnow.failures import NoAnswer, NotDone, Refused, TooMany
from phoneterm_bridge.pbx.voipnow.https_client import HttpsClient, Reply
from phoneterm_bridge.pbx.voipnow.reading import (
    Page,
    PhoneCall,
    Registration,
    read_call_id,
    read_error,
    read_page,
    read_registrations,
)
from phoneterm_bridge.settings.voipnow import VoipNowSettings

ALL_EXTENSIONS = "@self"
TOKEN_NOT_TAKEN = 401  # the status of an answer
_PAGE = 100  # asked for; a server may give fewer
_MOST_PAGES = 250
_TRIES = 3
_CALLS = "/uapi/phoneCalls"
_EXTENSIONS, _EVENTS = "/uapi/extensions", "phoneCallEvents"
_POST, _ENABLED, _NOTE = "1", "1", "phoneterm bridge"
_SIMPLE, _PICK_UP_S = "simple", "25"
_IN_PATHS = "@*"  # stand in them as they are
_SUCCESS = range(200, 300)
_BROKEN = range(500, 600)  # it may have done part of what it was asked for


class UnifiedApi:
    """One app's access to the calls of one user."""

    def __init__(
        self,
        settings: VoipNowSettings,
        on_reply: Callable[[str, str, Reply], None] = lambda method, path, reply: None,
    ) -> None:
        """Connect to nothing yet; SetupProblem when a setting names a file that cannot be used.

        on_reply: is shown every answer, with the method and the path of its request.
        """
        self._client = HttpsClient(settings.url, settings.ca_path, settings.timeout_ms / 1000, on_reply)
        self._token = AppToken(settings, self._client)
        self._user = settings.user

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def get_token(self) -> None:
        """Make sure that there is a token; AppRefused or NotDone when there is none to be had."""
        await self._token.get()

    async def calls(self, extension: str = ALL_EXTENSIONS) -> list[PhoneCall]:
        """Return the calls of one extension, or of all extensions of the user."""
        for _ in range(_TRIES):
            found = await self._read_all(self._path(extension))
            if found is not None:
                return found
        raise NotDone("its list of calls changed faster than it could be read")

    async def calls_from(self, extension: str, start: int) -> list[PhoneCall]:
        """Return one page of an extension's calls, from an index on."""
        return list((await self._read_page(self._path(extension), start)).calls)

    async def transfer(self, extension: str, call_id: str, number: str) -> None:
        """Send the other party of an extension's call to a number."""
        await self._act(
            "PUT",
            extension,
            call_id,
            {"action": "Transfer", "sendCallTo": number, "transferFromNumber": extension},
        )

    async def hold(self, extension: str, call_id: str, view_id: str, is_on: bool) -> None:
        """Put an extension's call on hold, or take it back."""
        action = "OnHold" if is_on else "OffHold"
        await self._act("PUT", extension, call_id, {"action": action, "phoneCallViewId": view_id})

    async def hang_up(self, extension: str, call_id: str) -> None:
        """End an extension's call."""
        await self._act("DELETE", extension, call_id, None)

    async def make_call(self, extension: str, number: str, caller_id: str) -> str:
        """Ring an extension's phone, and call a number once it is picked up; return the call's id, "" if untold.

        caller_id: what that phone displays meanwhile.
        """
        view = {"source": [extension], "destination": [number], "callerId": caller_id}
        document = {"extension": extension, "phoneCallView": [view]}
        path = self._place(_CALLS, _SIMPLE)
        return read_call_id(await self._send_once("POST", path, document, {"waitForPickup": _PICK_UP_S}))

    async def events(self, extension: str) -> list[Registration]:
        """Return where VoipNow tells of an extension's calls."""
        reply = await self._read(self._place(_EXTENSIONS, extension, _EVENTS), {})
        return read_registrations(reply.document)

    async def add_event(self, extension: str, kind: str, url: str) -> None:
        """Have VoipNow tell this address of one kind of happening at an extension."""
        document = {"type": kind, "method": _POST, "note": _NOTE, "url": url, "status": _ENABLED}
        await self._send_once("POST", self._place(_EXTENSIONS, extension, _EVENTS), document)

    async def remove_event(self, extension: str, kind: str, event_id: str) -> None:
        """Have it no longer tell; without an id VoipNow would remove all, those of others too."""
        await self._send_once("DELETE", self._place(_EXTENSIONS, extension, _EVENTS, kind, event_id), None)

    def _path(self, extension: str, call_id: str | None = None) -> str:
        """Return where an extension's calls are, or one of them."""
        return self._place(_CALLS, extension, *(() if call_id is None else (call_id,)))

    def _place(self, resource: str, *parts: str) -> str:
        """Return an address; ValueError rather than one that means something else, because a part of it is empty."""
        for part in parts:
            if not part.strip() or part in (".", ".."):
                raise ValueError(f"{part!r} cannot stand in an address: it would mean other calls")
        return "/".join((resource, *(quote(part, safe=_IN_PATHS) for part in (self._user, *parts))))

    async def _read_all(self, path: str) -> list[PhoneCall] | None:
        """Return a list, page by page; None when it moved meanwhile, so that a call may have been missed.

        Each page begins with the last call of the one before, or with an earlier one: if it does not, calls before it
        have gone. Pages of a single call have no room for that.
        """
        found: list[PhoneCall] = []
        overlap = 0
        for _ in range(_MOST_PAGES):
            page = await self._read_page(path, len(found) - overlap)
            if not found and page.is_empty and page.total:
                raise NotDone(f"its list of {page.total} calls shows none of them")
            known = _overlap_of(found, page)
            if known is None or known < overlap:
                return None
            found += page.calls[known:]
            is_whole = not page.has_next and len(found) >= (math.inf if page.total is None else page.total)
            if len(page.calls) <= known or is_whole:
                return found
            overlap = 1 if len(page.calls) > 1 else 0
        raise NotDone(f"its list of calls has more than {_MOST_PAGES} pages")

    async def _read_page(self, path: str, start: int) -> Page:
        reply = await self._read(path, {"count": str(_PAGE), "startIndex": str(start)})
        if reply.document is None:
            return Page((), 0)
        try:
            return read_page(reply.document)
        except ValueError:
            raise NotDone("it answers with something else than a list of calls") from None

    async def _read(self, path: str, query: dict[str, str]) -> Reply:
        """Read, and once more if that failed or the token was not taken: a read changes nothing."""
        try:
            reply = await self._send("GET", path, query=query)
        except TooMany:
            raise
        except (NoAnswer, NotDone):
            reply = None
        if reply is None or reply.status == TOKEN_NOT_TAKEN or reply.status in _BROKEN:
            reply = await self._send("GET", path, query=query)
        return _require_success(reply)

    async def _act(self, method: str, extension: str, call_id: str, document: object) -> None:
        """Have VoipNow act once on one call."""
        await self._send_once(method, self._path(extension, call_id), document)

    async def _send_once(self, method: str, path: str, document: object, query: dict[str, str] | None = None) -> Any:
        """Send what changes something, once; return what is answered."""
        reply = await self._send(method, path, query=query, document=document)
        if reply.status in _BROKEN:
            raise NoAnswer(f"it answers {reply.status}, which does not say whether it was done")
        return _require_success(reply).document

    async def _send(
        self, method: str, path: str, query: dict[str, str] | None = None, document: object = None
    ) -> Reply:
        token = await self._token.get()
        headers = {"Authorization": f"Bearer {token}"}
        reply = await self._client.send(method, path, headers, query=query, document=document)
        if reply.status == TOKEN_NOT_TAKEN:
            self._token.drop(token)
        return reply


def _overlap_of(found: list[PhoneCall], page: Page) -> int | None:
    """Return how many calls at the beginning of a page are at the end of what was found; None if it does not fit."""
    before, ids = [call.id for call in found], [call.id for call in page.calls]
    for count in range(min(len(before), len(ids)), 0, -1):
        if before[-count:] == ids[:count]:
            return count
    return 0 if set(before).isdisjoint(ids) else None


def _require_success(reply: Reply) -> Reply:
    """Return an answer that says yes; Refused for another one, even if its status is that of success."""
    code = read_error(reply.document)
    if reply.status not in _SUCCESS or code:
        raise Refused(reply.status, code)
    return reply
