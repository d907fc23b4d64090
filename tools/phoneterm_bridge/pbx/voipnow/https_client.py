"""Sends one HTTPS request to VoipNow and returns its answer, or what came instead. Does not know tokens or calls.

TLS is always verified: with the system's CAs, or with one of the administrator's own alone. Redirects are refused, no
proxy of the environment is used, answers are limited in time and size, and nothing is ever sent twice.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from phoneterm_bridge.pbx.voipnow.failures import LedElsewhere, NoAnswer, NotDone, TooMany
from phoneterm_bridge.pbx.voipnow.reading import read_json
from phoneterm_bridge.settings.problem import SetupProblem

_MOST_BYTES = 8 * 1024 * 1024  # a list of 5,000 calls takes less
_MOST_WAIT_S = 60.0
_SENDING = "send_request_headers.started"
_NOTHING = 204
_TOO_MANY = 429
_NEEDS_NO_DOCUMENT = range(300, 600)


class Reply(NamedTuple):
    """An answer: its HTTP status, and its JSON document; None when there is none."""

    status: int
    document: Any


class RawReply(NamedTuple):
    """An answer that is no JSON: its HTTP status, and all of it."""

    status: int
    body: bytes


class HttpsClient:
    """Connections to one server, kept open between requests."""

    def __init__(
        self,
        url: str,
        ca_path: Path | None,
        timeout_s: float,
        on_reply: Callable[[str, str, Reply], None] = lambda method, path, reply: None,
    ) -> None:
        """Connect to nothing yet; SetupProblem when the CA cannot be used.

        on_reply: is shown every answer, with the method and the path of its request.
        """
        self._on_reply = on_reply
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(
            base_url=url, verify=_make_context(ca_path), timeout=timeout_s, follow_redirects=False, trust_env=False,
            headers={"Accept-Encoding": "identity"},  # what is packed could be larger than memory
        )  # fmt: skip

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        document: object = None,
    ) -> Reply:
        """Send a request once. NotDone: nothing has happened; NoAnswer: perhaps it has."""
        fields = {"params": query, "data": form, "json": document}
        reply = _read(*await self._exchange(method, path, headers, fields))
        self._on_reply(method, path, reply)
        return reply

    async def send_raw(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None = None
    ) -> RawReply:
        """Do the same with a request and an answer that are no JSON."""
        response, body = await self._exchange(method, path, headers, {"content": content})
        _refuse(response)
        return RawReply(response.status_code, body)

    async def _exchange(
        self, method: str, path: str, headers: Mapping[str, str], fields: Mapping[str, Any]
    ) -> tuple[httpx.Response, bytes]:
        is_sent = False

        async def note_sending(event: str, _: object) -> None:
            nonlocal is_sent
            is_sent = is_sent or event.endswith(_SENDING)

        try:
            async with asyncio.timeout(self._timeout_s):
                request = self._client.build_request(
                    method, path, headers=headers, extensions={"trace": note_sending}, **fields
                )
                response = await self._client.send(request, stream=True)
                try:
                    return response, await _read_body(response)
                finally:
                    await response.aclose()
        except httpx.InvalidURL:
            raise NotDone("there can be no such address") from None
        except (httpx.HTTPError, OSError, TimeoutError) as error:
            words = _describe(error)
            raise (NoAnswer if is_sent else NotDone)(words) from None


def _make_context(ca_path: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_path)
    except ssl.SSLError:
        raise SetupProblem(f"The file {ca_path} (voipnow.ca_path) is not a CA in PEM form.") from None
    except OSError as error:
        raise SetupProblem(f"The CA {ca_path} cannot be read ({error.strerror}); see voipnow.ca_path.") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def _read_body(response: httpx.Response) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise NoAnswer("its answer is packed, although it was asked not to")
    body = bytearray()
    async for part in response.aiter_raw():
        body += part
        if len(body) > _MOST_BYTES:
            raise NoAnswer(f"its answer is longer than {_MOST_BYTES} bytes")
    return bytes(body)


def _refuse(response: httpx.Response) -> None:
    """Refuse an answer that is none."""
    if response.status_code == _TOO_MANY:
        raise TooMany(_wait_in(response))
    if response.is_redirect:
        raise LedElsewhere(f"it answers {response.status_code} and leads elsewhere, where the bridge does not go")


def _read(response: httpx.Response, body: bytes) -> Reply:
    _refuse(response)
    status = response.status_code
    if status == _NOTHING:
        return Reply(status, None)
    try:
        return Reply(status, read_json(body))
    except ValueError:
        if status in _NEEDS_NO_DOCUMENT:
            return Reply(status, None)
        raise NoAnswer("its answer is not JSON") from None


def _wait_in(response: httpx.Response) -> float | None:
    text = response.headers.get("retry-after", "")
    is_seconds = text.isascii() and text.isdecimal() and len(text) < 10
    return min(float(text), _MOST_WAIT_S) if is_seconds else None


def _describe(error: Exception) -> str:
    """Return why there was no answer, in a few words."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not accepted: {cause.verify_message.lower()}"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return "it does not answer in time"
    if isinstance(error, httpx.ConnectError | OSError):
        return "nobody answers there"
    return "the connection ended"
