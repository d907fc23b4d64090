"""One AMI connection from its opening to its end: login, actions with their answers, events.

Does not reconnect (`client` does) and never sends an action twice. Deadlines are in seconds. Errors: `NotConnected`
(nothing was done), `ShuttingDown` (the same, because Asterisk is about to end or to restart, and then refuses every
action, a login too), `OutcomeUnknown` (sent, and no answer came: it may have happened), `PbxRejectedLogin` from
`log_in`, OSError from `open_connection`.
"""

import asyncio
import contextlib
import hashlib
import itertools
import ssl
from collections.abc import Callable, Sequence
from typing import cast

from phoneterm_bridge.pbx.ami import refused
from phoneterm_bridge.pbx.ami.codec import Decoder, Message, encode
from phoneterm_bridge.pbx.ami.refused import AmiRefused
from phoneterm_bridge.pbx.ami.settings import AmiSettings
from phoneterm_bridge.pbx.port import PbxRejectedLogin

ACTION_S = 2.0

Headers = Sequence[tuple[str, str]]


class NotConnected(Exception):
    """There is no connection: the action was not sent."""


class ShuttingDown(NotConnected):
    """The PBX is about to end or to restart, and carries nothing out any more."""


class OutcomeUnknown(Exception):
    """The action was sent, and the connection or the deadline ended before an answer came."""


class _Asked:
    """An action in flight: its future answer, and the list gathered for it."""

    __slots__ = ("answer", "is_list", "listed")

    def __init__(self, is_list: bool) -> None:
        self.answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self.listed: list[Message] = []
        self.is_list = is_list


class AmiConnection(asyncio.Protocol):
    """A connected socket that speaks AMI; `open_connection` makes one. failure: our own mistake that ended it."""

    def __init__(self, on_event: Callable[[Message], None]) -> None:
        """`on_event` is called for every event that belongs to no list."""
        self.failure: Exception | None = None
        self._closed = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._decoder = Decoder()
        self._on_event = on_event
        self._ids = itertools.count(1)
        self._asked: dict[str, _Asked] = {}

    @property
    def is_open(self) -> bool:
        """Say whether actions can be sent."""
        return not self._closed.is_set()

    async def wait_closed(self, most_s: float) -> bool:
        """Wait until the connection is closed, at most this long; return whether it is."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(most_s):
                await self._closed.wait()
        return not self.is_open

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take incoming bytes; a mistake of our own ends the connection."""
        try:
            for message in self._decoder.feed(data):
                self._on_message(message)
        except Exception as error:
            self.failure = error
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The other end has closed, in order or not."""
        self.close()

    def close(self) -> None:
        """Close the socket; every action in flight ends as unknown, and no more events come."""
        self._closed.set()
        if self._transport is not None:
            self._transport.close()
        for asked in self._asked.values():
            _fail(asked.answer, "the connection to the PBX ended before an answer came")

    async def log_in(self, settings: AmiSettings) -> None:
        """Log in without sending the secret itself; PbxRejectedLogin when the PBX refuses this login."""
        challenge = (await self._ask_for_login("Challenge", [("AuthType", "MD5")])).get("Challenge")
        digest = hashlib.md5((challenge + settings.secret).encode(), usedforsecurity=False).hexdigest()
        login = [("AuthType", "MD5"), ("Username", settings.username), ("Key", digest)]
        answer = await self._ask_for_login("Login", login)
        if answer.get("Response") != "Success":
            raise PbxRejectedLogin(
                f"The PBX at {settings.host}:{settings.port} does not accept the AMI login "
                f"{settings.username!r}: check user name and secret there and here, and that its manager.conf "
                "has a permit for this machine's address."
            )

    async def ask(self, action: str, headers: Headers = (), deadline_s: float = ACTION_S) -> Message:
        """Send one action and return its answer, success or error."""
        return await self._exchange(action, headers, deadline_s, _Asked(is_list=False))

    async def ask_list(self, action: str, headers: Headers = (), deadline_s: float = ACTION_S) -> list[Message]:
        """Send one action that answers with a list; return it without its closing event, or raise AmiRefused."""
        asked = _Asked(is_list=True)
        answer = await self._exchange(action, headers, deadline_s, asked)
        if refused.kind_of(answer) is not None:
            raise AmiRefused(action, answer)
        return asked.listed

    async def _ask_for_login(self, action: str, headers: Headers) -> Message:
        """Send an action of the login; AmiRefused for an error that is not about user name and secret."""
        answer = await self.ask(action, headers)
        if refused.kind_of(answer) not in (None, refused.OTHER):
            raise AmiRefused(action, answer)
        return answer

    async def _exchange(self, action: str, headers: Headers, deadline_s: float, asked: _Asked) -> Message:
        action_id = str(next(self._ids))
        data = encode([("Action", action), ("ActionID", action_id), *headers])
        if not self.is_open or self._transport is None:
            raise NotConnected(f"no connection to the PBX for {action}")
        self._asked[action_id] = asked
        loop = asyncio.get_running_loop()
        self._transport.write(data)
        deadline = loop.call_later(deadline_s, _fail, asked.answer, f"no answer to {action} within {deadline_s} s")
        try:
            answer = await asked.answer
        finally:
            deadline.cancel()
            del self._asked[action_id]
        if refused.kind_of(answer) == refused.SHUTTING_DOWN:
            raise ShuttingDown(f"the PBX is shutting down, or waits for its last call to restart, and refuses {action}")
        return answer

    def _on_message(self, message: Message) -> None:
        asked = self._asked.get(message.get("ActionID"))
        if asked is None:
            if message.has("Event"):
                self._on_event(message)
            return
        is_answer = message.has("Response")
        if not is_answer and message.get("EventList") != "Complete":
            asked.listed.append(message)
        elif (not is_answer or not asked.is_list or message.get("Response") == "Error") and not asked.answer.done():
            asked.answer.set_result(message)


def _fail(answer: "asyncio.Future[Message]", why: str) -> None:
    if not answer.done():
        answer.set_exception(OutcomeUnknown(why))


async def open_connection(settings: AmiSettings, on_event: Callable[[Message], None]) -> AmiConnection:
    """Connect to the PBX (over TLS when the settings say so); OSError when that cannot be done."""
    tls = ssl.create_default_context(cafile=settings.tls_ca) if settings.tls else None
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: AmiConnection(on_event), settings.host, settings.port, ssl=tls)
    return connection
