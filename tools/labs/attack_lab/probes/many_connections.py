"""One terminal's password opens one connection after the other, with take-overs between. Says nothing on them."""

import asyncio

from attack_lab.probe import Probe
from attack_lab.scenery.raw_client import RawClient
from attack_lab.scenery.waiting import until
from attack_lab.site import EMBEDDED, Site

_MOST = 4 + 1  # and the one that is about to be taken over
_TRIES = 40
_CLIENT_IDS = 8
_LOGIN_S = 0.05  # whoever has to wait at the door is not waited for
_SETTLED_S = 5.0


class ManyConnections(Probe):
    """See `sentence`."""

    name = "many connections"
    sentence = f"{_TRIES} logins of one terminal, under {_CLIENT_IDS} client ids that take over from themselves"
    brokers = (EMBEDDED,)  # a mosquitto has one connection for each user, whatever its client id

    async def run(self, site: Site) -> str | None:
        """Log in again and again, and count what is open."""
        scene = await site.open()
        clients: list[RawClient] = []
        for number in range(_TRIES):
            client = await RawClient.open(scene.bridge.broker_port)
            site.stack.callback(client.abort)
            clients.append(client)
            logging_in = asyncio.create_task(client.log_in(scene.enrolment, f"c{number % _CLIENT_IDS}"))
            site.stack.callback(logging_in.cancel)
            await asyncio.wait([logging_in], timeout=_LOGIN_S)
        neighbour = await scene.terminal(scene.other)
        await neighbour.hello()
        await until(
            lambda: sum(not client.is_ended for client in clients) <= _MOST, _SETTLED_S,
            f"more than {_MOST} connections of it stay open at once",
        )  # fmt: skip
        return None
