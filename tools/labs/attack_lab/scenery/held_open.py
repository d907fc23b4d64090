"""A terminal's connections as somebody with its password holds them: take-overs, several client ids. Judges nothing."""

from attack_lab.scenery.crowd import Crowd
from attack_lab.scenery.fake_terminal import FakeTerminal
from attack_lab.scenery.raw_client import RawClient

_TAKEN_OVER, _BESIDE = "taken over", "beside"


class HeldOpen:
    """The connections of phone-101: a terminal that has said hello, and raw ones that the broker has not ended."""

    def __init__(self, scene: Crowd) -> None:
        self._scene = scene
        self._clients: list[RawClient] = []
        self.terminal: FakeTerminal

    async def open(self) -> None:
        """Log in, take that over under the same client id, log in beside it, and say hello on another connection.

        With a mosquitto, where the user name is the client id, each of them takes over from all before.
        """
        for client_id in (_TAKEN_OVER, _TAKEN_OVER, _BESIDE):
            client = await RawClient.open(self._scene.bridge.broker_port)
            assert await client.log_in(self._scene.enrolment, client_id) == 0, "its own password was refused"
            self._clients.append(client)
        self.terminal = await self._scene.terminal()
        await self.terminal.hello()
        await self._clients.pop(0).wait_ended()

    async def find_open(self) -> str | None:
        """Return None once the broker has ended them all, and lets none in again; otherwise what is still open."""
        for client in self._clients:
            try:
                await client.wait_ended()
            except TimeoutError:
                return "a connection that was there before stays open"
            finally:
                client.abort()
        again = await RawClient.open(self._scene.bridge.broker_port)
        code = await again.log_in(self._scene.enrolment, _BESIDE)
        again.abort()
        return "the old password still opens the broker" if code == 0 else None
