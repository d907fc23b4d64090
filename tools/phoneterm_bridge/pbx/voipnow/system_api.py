"""SystemAPI: asks who is multi user aware and what an extension is, and sets the former. Decides nothing by it.

The WSDL comes from the server, in the first version of it that has what is needed and whose requests it takes. It is
kept for the next start, so that none waits for it. Only reads are repeated, once. An update is sent once, whatever
comes, with nothing in it but the flag and the user's id.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from phoneterm_bridge.pbx.voipnow.app_token import AppToken
from phoneterm_bridge.pbx.voipnow.failures import NoAnswer, NotDone, Refused, TooMany
from phoneterm_bridge.pbx.voipnow.https_client import HttpsClient
from phoneterm_bridge.pbx.voipnow.kept_documents import KeptDocuments
from phoneterm_bridge.pbx.voipnow.wsdl_documents import ENTRIES, NoDocuments, WsdlDocuments, read_documents
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.settings.voipnow import VoipNowSettings

try:
    from phoneterm_bridge.pbx.voipnow.soap_messages import SoapMessages, SystemFault
except ModuleNotFoundError as missing:
    raise SetupProblem(
        f"Permissions from VoipNow need the extra: pip install 'phoneterm[voipnow]' ({missing.name} is missing), or "
        'voipnow.permissions = "store", with which this store alone says who is multi user aware.'
    ) from None

VERSIONS = ("latest", "5.2.5", "3.5.0", "3.0.0", "2.5.1")
_TOKEN_NOT_TAKEN = (401, 403)
_REFUSING = range(400, 500)
_BROKEN = range(500, 600)
_MOST_CHARS = 128
_RENEW_EVERY_S = 60.0


class Details(NamedTuple):
    """An extension. owner: its user's id; type: "" when it is not told."""

    owner: str
    type: str


class ApiUser(NamedTuple):
    """A user."""

    id: str
    name: str
    login: str


class ApiExtension(NamedTuple):
    """An extension of a user, by its extended number."""

    number: str
    type: str


class SystemApi:
    """One app's access to users and extensions. Errors are those of `failures`, and SystemFault."""

    def __init__(
        self, settings: VoipNowSettings, kept: Path | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Connect to nothing yet; SetupProblem when a setting names a file that cannot be used.

        kept: where the WSDL is kept for the next start. clock: monotonic seconds.
        """
        self._url = settings.url
        self._client = HttpsClient(settings.url, settings.ca_path, settings.timeout_ms / 1000)
        self._token = AppToken(settings, self._client)
        self._kept = KeptDocuments(kept, settings.url)
        self._versions = (settings.system_api_version,) if settings.system_api_version else VERSIONS
        self._refused: set[str] = set()  # versions that the server has documents of, and does not take
        self._messages: SoapMessages | None = None
        self._making = asyncio.Lock()
        self._clock = clock
        self._used_token = ""
        self._renewable_s = 0.0  # until then, a token that is not taken is not the token's fault

    @property
    def version(self) -> str | None:
        """The version that is spoken, None before the first request."""
        return None if self._messages is None else self._messages.version

    @property
    def tokens_refused(self) -> int:
        """How many tokens were not taken before they had ended."""
        return self._token.refused

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def open(self) -> None:
        """Have a token, and a WSDL; NotDone when there is none to be had, nor one that was kept."""
        await self._token.get()
        await self._get_messages()

    async def details(self, number: str) -> Details:
        """Return what an extension is, by its extended number."""
        found = await self._read("GetExtensionDetails", {"extendedNumber": number})
        owner = _text(found, "parentID")
        if not owner.isdecimal():
            raise NoAnswer("its answer does not say whose the extension is")
        return Details(owner, _text(found, "extensionType"))

    async def is_multi_user_aware(self, owner: str) -> bool | None:
        """Return a user's flag; None when it is not told."""
        found = await self._read("GetUserPL", {"ID": int(owner)})
        limits = getattr(found, "extensionPL", found)
        flag = getattr(limits, "multiUser", None)
        return flag if isinstance(flag, bool) else None

    async def set_multi_user_aware(self, owner: str, is_aware: bool) -> None:
        """Set a user's flag, once."""
        found = await self._send("UpdateUserPL", {"multiUser": is_aware, "ID": int(owner)})
        if _text(found, "result").lower() not in ("", "success", "true", "1"):
            raise NotDone("it answers that the change was not made")

    async def users(self, account: str | None = None) -> list[ApiUser]:
        """Return all users, or those of one account, by its id."""
        found = await self._read("GetUsers", {} if account is None else {"parentID": int(account)})
        every = [ApiUser(_text(one, "ID"), _text(one, "name"), _text(one, "login")) for one in _list(found, "user")]
        return [one for one in every if one.id.isdecimal()]

    async def extensions(self, owner: str) -> list[ApiExtension]:
        """Return the extensions of a user."""
        found = await self._read("GetExtensions", {"parentID": int(owner)})
        every = (ApiExtension(_text(one, "extendedNumber"), _text(one, "extensionType")) for one in _all(found))
        return [one for one in every if one.number]

    async def _read(self, operation: str, fields: dict[str, object]) -> Any:
        """Read, and once more if that failed or the token was not taken; with another version if this one is not."""
        for _ in self._versions:
            try:
                return await self._read_twice(operation, fields)
            except SystemFault as fault:
                if not fault.is_version or self._messages is None:
                    raise
                structlog.get_logger().warning("systemapi-version-not-taken", version=self._messages.version)
                self._refused.add(self._messages.version)
                self._messages = None
        self._refused.clear()
        raise NotDone("it takes no version of SystemAPI that the bridge knows")

    async def _read_twice(self, operation: str, fields: dict[str, object]) -> Any:
        try:
            return await self._send(operation, fields)
        except TooMany:
            raise
        except (NoAnswer, NotDone):
            return await self._send(operation, fields)
        except (Refused, SystemFault) as refused:
            if not _is_about_token(refused) or self._clock() < self._renewable_s:
                raise
        self._token.drop(self._used_token)
        try:
            return await self._send(operation, fields)
        except (Refused, SystemFault) as refused:
            if _is_about_token(refused):  # a token that is new: it is the app that may not, and not just now
                self._renewable_s = self._clock() + _RENEW_EVERY_S
            raise

    async def _send(self, operation: str, fields: dict[str, object]) -> Any:
        """Send a request once."""
        messages = await self._get_messages()
        self._used_token = token = await self._token.get()
        try:
            prepared = messages.prepare(operation, token, fields)
        except ValueError as error:
            raise NotDone(str(error)) from None
        reply = await self._client.send_raw("POST", prepared.path, prepared.headers, prepared.content)
        try:
            return messages.read(operation, reply.status, reply.body, token)
        except ValueError as error:
            if reply.status in _REFUSING:
                if reply.status not in _TOKEN_NOT_TAKEN:
                    self._messages = None  # perhaps it is another version now
                raise Refused(reply.status, "") from None
            said = f"it answers {reply.status}" if reply.status in _BROKEN else f"its answer is {error}"
            raise NoAnswer(said) from None

    async def _get_messages(self) -> SoapMessages:
        async with self._making:
            if self._messages is None:
                self._messages = await self._make_messages()
            return self._messages

    async def _make_messages(self) -> SoapMessages:
        """Negotiate: the version that was kept first, then the newest; the kept documents where the server has none."""
        kept = await asyncio.to_thread(self._kept.read)
        if kept is not None and (kept.version in self._refused or kept.version not in self._versions):
            kept = None
        first = () if kept is None else (kept.version,)
        why = ""
        for version in dict.fromkeys((*first, *self._versions)):
            for names in ENTRIES if version not in self._refused else ():
                try:
                    documents = await read_documents(self._client, self._url, version, names)
                except NoDocuments as none:
                    why = why or (f"its WSDL cannot be read: {none}" if str(none) else "")
                    continue
                except (NotDone, NoAnswer, Refused) as trouble:
                    return await self._make_kept(kept, f"its WSDL cannot be read: {trouble}")
                try:
                    messages = await asyncio.to_thread(SoapMessages, documents)
                except ValueError as error:
                    why = str(error)
                    continue
                await asyncio.to_thread(self._kept.write, documents)
                return messages
        return await self._make_kept(kept, why or "it has no WSDL of SystemAPI that the bridge knows")

    async def _make_kept(self, kept: WsdlDocuments | None, why: str) -> SoapMessages:
        if kept is None:
            self._refused.clear()  # it may have been changed by the next time
            raise NotDone(why)
        structlog.get_logger().warning("systemapi-wsdl-is-the-kept-one", version=kept.version, why=why)
        try:
            return await asyncio.to_thread(SoapMessages, kept)
        except ValueError as error:
            raise NotDone(str(error)) from None


def _is_about_token(refused: Refused | SystemFault) -> bool:
    if isinstance(refused, SystemFault):
        return refused.is_about_app
    return refused.status in _TOKEN_NOT_TAKEN


def _all(found: Any) -> list[Any]:
    return _list(found, "extension")


def _list(found: Any, name: str) -> list[Any]:
    """Return a repeated part of an answer; where an answer has nothing else, it may be the list itself."""
    value = found if isinstance(found, list) else getattr(found, name, None)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _text(found: Any, name: str) -> str:
    value = getattr(found, name, None)
    text = "" if value is None or isinstance(value, bool) else str(value)
    return text if len(text) <= _MOST_CHARS and text.isprintable() else ""
