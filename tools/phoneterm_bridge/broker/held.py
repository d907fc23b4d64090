"""The connections that the embedded broker holds open, from the accepting of each to its end. Ends none by itself.

There is no other list: whoever is to be counted or cut off is found here, by the socket itself.
"""

import asyncio
from dataclasses import dataclass, field

from phoneterm_bridge.broker.writer import abort


@dataclass(eq=False)
class Held:
    """One connection. user, client_id: "" until its login is known; is_over: amqtt has nothing to do with it any more.

    cut: why it was ended, for the middle of a sentence; "" if it was not.
    """

    writer: asyncio.StreamWriter
    user: str = ""
    client_id: str = ""
    is_served: bool = False
    is_over: asyncio.Event = field(default_factory=asyncio.Event)
    cut: str = ""

    @property
    def is_open(self) -> bool:
        """Say whether its socket is open."""
        return not self.writer.transport.is_closing()

    @property
    def address(self) -> str:
        """The address that it comes from; "" when that is gone."""
        peer = self.writer.get_extra_info("peername")
        return str(peer[0]) if peer else ""

    def abort(self) -> None:
        """End it at once, without sending what waits."""
        abort(self.writer)

    async def close(self, most_s: float) -> None:
        """Send what waits, within a time limit, and end it; returns when the socket is closed."""
        self.writer.close()
        try:
            async with asyncio.timeout(most_s):
                await self.writer.wait_closed()
        except (OSError, TimeoutError):
            self.abort()


class HeldConnections:
    """All of them, the oldest first."""

    def __init__(self) -> None:
        self._all: dict[Held, None] = {}

    def add(self, writer: asyncio.StreamWriter) -> Held:
        """Hold a connection that was accepted."""
        one = Held(writer)
        self._all[one] = None
        return one

    def remove(self, one: Held) -> None:
        """Its socket is closed."""
        del self._all[one]

    def all(self) -> list[Held]:
        """Return every connection."""
        return list(self._all)

    def of(self, user: str) -> list[Held]:
        """Return those of a user, also those that are not served yet or about to end."""
        return [one for one in self._all if one.user == user]

    def served(self, user: str, client_id: str) -> Held | None:
        """Return the connection that amqtt serves for a client, if there is one."""
        return next((one for one in self.of(user) if one.is_served and one.client_id == client_id), None)
