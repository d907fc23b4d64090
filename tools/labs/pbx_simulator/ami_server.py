"""The simulated PBX's AMI port: logins, actions and events on loopback TCP.

Does not know the effects of an action (`ami_actions` does). It answers as Asterisk 22 does, with its texts; events go
to every login in the order they happen.
"""

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import Callable

from phoneterm_bridge.pbx.ami.codec import Decoder, Message, encode
from phoneterm_bridge.pbx.ami.settings import AmiSettings

from pbx_simulator.parties import Pairs

BANNER = b"Asterisk Call Manager/11.0.0\r\n"

# Carries out one action of a login and returns the answer's headers and the list that follows it.
Act = Callable[[Message], tuple[Pairs, list[Pairs]]]


class AmiServer:
    """All AMI connections to one simulated PBX."""

    def __init__(
        self, logins: list[AmiSettings], act: Act, has_right: Callable[[str, str], bool] = lambda username, action: True
    ) -> None:
        """Keep the logins; nothing listens yet. has_right: whether a user name may use an action."""
        self.is_shutting_down = False
        self.allows_second_login = True
        self.hears_calls: Callable[[str], bool] = lambda username: True
        self.has_right = has_right
        self.logins = {login.username: login.secret for login in logins}
        self.act = act
        self._server: asyncio.Server | None = None
        self._sessions: set[_Session] = set()

    async def start(self, port: int = 0) -> int:
        """Listen on this port of 127.0.0.1 (0: any free one) and return it."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._server.close()
            for session in tuple(self._sessions):
                session.close()
            await self._server.wait_closed()
            self._server = None

    def cut_connections(self) -> None:
        """Close every connection without notice; new ones are accepted."""
        for session in tuple(self._sessions):
            session.close()

    def emit(self, name: str, pairs: Pairs) -> None:
        """Send an event of class call to every login that may hear it."""
        data = encode([("Event", name), ("Privilege", "call,all"), *pairs])
        for session in self._sessions:
            if self.hears_calls(session.username):
                session.send_event(data)

    def is_logged_in(self, username: str) -> bool:
        """Say whether a connection is logged in with this user name."""
        return any(session.is_logged_in and session.username == username for session in self._sessions)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = _Session(writer, self)
        self._sessions.add(session)
        decoder = Decoder()
        writer.write(BANNER)
        try:
            with contextlib.suppress(OSError):
                while data := await reader.read(64 * 1024):
                    for action in decoder.feed(data):
                        session.answer(action)
        finally:
            self._sessions.discard(session)
            session.close()


class _Session:
    """One connection: its input so far, and whether it is logged in."""

    def __init__(self, writer: asyncio.StreamWriter, server: AmiServer) -> None:
        self._writer = writer
        self._server = server
        self.username = ""
        self._challenge = ""
        self.is_logged_in = False

    def close(self) -> None:
        self._writer.close()

    def send_event(self, data: bytes) -> None:
        if self.is_logged_in:
            self._writer.write(data)

    def answer(self, action: Message) -> None:
        name = action.get("Action").lower()
        if self._server.is_shutting_down:
            self._answer(action, [("Response", "Error"), ("Message", "Asterisk is shutting down")])
        elif name == "challenge":
            self._challenge = secrets.token_hex(4)
            self._answer(action, [("Response", "Success"), ("Challenge", self._challenge)])
        elif name == "login":
            self._log_in(action)
        elif not self.is_logged_in or not self._server.has_right(self.username, name):
            self._answer(action, [("Response", "Error"), ("Message", "Permission denied")])
        else:
            self._carry_out(action)

    def _log_in(self, action: Message) -> None:
        if not self._server.allows_second_login and self._server.is_logged_in(action.get("Username")):
            self._answer(action, [("Response", "Error"), ("Message", "Login Already In Use")])
            self.close()
            return
        secret = self._server.logins.get(action.get("Username"))
        key = self._challenge + (secret or "")
        digest = hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()
        has_key = bool(self._challenge) and secrets.compare_digest(digest, action.get("Key"))
        if secret is None or not (has_key or secrets.compare_digest(secret, action.get("Secret"))):
            self._answer(action, [("Response", "Error"), ("Message", "Authentication failed")])
            self.close()
            return
        self.is_logged_in = True
        self.username = action.get("Username")
        self._answer(action, [("Response", "Success"), ("Message", "Authentication accepted")])

    def _carry_out(self, action: Message) -> None:
        answer, listed = self._server.act(action)
        if action.get("Action").lower() == "listcommands":
            answer = [pair for pair in answer if self._server.has_right(self.username, pair[0])]
        self._answer(action, answer)
        if ("EventList", "start") in answer:
            for item in listed:
                self._answer(action, item)
            name = action.get("Action") + "Complete"
            self._answer(action, [("Event", name), ("EventList", "Complete"), ("ListItems", str(len(listed)))])

    def _answer(self, action: Message, pairs: Pairs) -> None:
        head, *rest = pairs
        self._writer.write(encode([head, ("ActionID", action.get("ActionID")), *rest]))
