"""The doctor's own AMI login, beside the bridge's. Does not judge the answers.

`open_session` raises what `AmiConnection` raises; questions may raise NotConnected, OutcomeUnknown or AmiRefused.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.ami.connection import AmiConnection, Headers, open_connection
from phoneterm_bridge.pbx.ami.refused import AmiRefused
from phoneterm_bridge.pbx.ami.settings import AmiSettings
from phoneterm_bridge.pbx.asterisk.features import ask_variable

CONNECT_S = 5
LIST_S = 10
_AT_ONCE = 50


class PbxSession:
    """Questions to the PBX, and the classes of the events received meanwhile."""

    def __init__(self, settings: AmiSettings) -> None:
        self.username = settings.username
        self.seen_classes: set[str] = set()
        self._connection: AmiConnection | None = None

    def take_event(self, event: Message) -> None:
        """Remember the classes of an event."""
        self.seen_classes.update(name for name in event.get("Privilege").split(",") if name not in ("", "all"))

    def attach(self, connection: AmiConnection) -> None:
        """Use this connection from now on."""
        self._connection = connection

    async def ask(self, action: str, headers: Headers = ()) -> Message:
        """Send one action and return its answer."""
        assert self._connection is not None, "a session is used inside open_session"
        return await self._connection.ask(action, headers, LIST_S)

    async def ask_list(self, action: str, headers: Headers = ()) -> list[Message]:
        """Send one action that answers with a list and return the list; an error answer is an empty one."""
        assert self._connection is not None, "a session is used inside open_session"
        try:
            return await self._connection.ask_list(action, headers, LIST_S)
        except AmiRefused:
            return []

    async def read(self, name: str) -> str:
        """Return a global variable or a function that needs no channel, "" when it has no value."""
        return await ask_variable(self, name)

    async def read_all(self, names: Sequence[str]) -> list[str]:
        """Return many of them, some at a time."""
        values: list[str] = []
        for first in range(0, len(names), _AT_ONCE):
            values += await asyncio.gather(*(self.read(name) for name in names[first : first + _AT_ONCE]))
        return values

    async def read_file(self, file: str, section: str, key: str) -> str:
        """Return a value from a configuration file of the PBX, "" when it is missing or the PBX does not show it."""
        return await self.read(f"AST_CONFIG({file},{section},{key},-1)")


@asynccontextmanager
async def open_session(settings: AmiSettings) -> AsyncIterator[PbxSession]:
    """Log in, and log off at the end."""
    session = PbxSession(settings)
    async with asyncio.timeout(CONNECT_S):
        connection = await open_connection(settings, session.take_event)
    try:
        await connection.log_in(settings)
        session.attach(connection)
        yield session
    finally:
        connection.close()
