"""Two boards with the same settings, one of them a stolen copy: both go on as if they were alone. Needs the secrets."""

import asyncio

from phoneterm.core import messages
from phoneterm_bridge.store.troubles import TWICE

from attack_lab.probe import Probe
from attack_lab.scenery.crowd import MINE, Crowd
from attack_lab.scenery.raw_client import RawClient
from attack_lab.site import EMBEDDED, Site

_TURNS = 5
_AT_LEAST_S = 0.5  # the first wait is a second


class StolenCopy(Probe):
    """See `sentence`."""

    name = "stolen copy"
    sentence = "two boards take over from each other under one client id, or their starts speak in turn"

    async def run(self, site: Site) -> str | None:
        """Take turns, and see whether that is told and slowed down."""
        scene = await site.open()
        is_quick = await (_take_over if site.broker == EMBEDDED else _speak_in_turn)(scene)
        await scene.bridge.refresh()
        if not scene.bridge.parts.troubles.has(MINE, TWICE):
            return "nobody is told of two boards with one name"
        return "the next turn had to wait for nothing" if is_quick else None


async def _take_over(scene: Crowd) -> bool:
    """Take over under one client id; return whether the last turn went as quickly as the first."""
    clients = []
    for _ in range(_TURNS):
        clients.append(await RawClient.open(scene.bridge.broker_port))
        await clients[-1].log_in(scene.enrolment, "same")
    clients.append(await RawClient.open(scene.bridge.broker_port))
    late = asyncio.create_task(clients[-1].log_in(scene.enrolment, "same"))
    done, _ = await asyncio.wait([late], timeout=_AT_LEAST_S)
    for client in clients:
        client.abort()
    await asyncio.gather(late, return_exceptions=True)
    return bool(done)


async def _speak_in_turn(scene: Crowd) -> bool:
    """Say hello as two starts in turn; return whether the last one was answered as quickly as the first."""
    terminal = await scene.terminal()
    for number in range(_TURNS + 1):
        terminal.boot = ("b001", "b002")[number % 2]
        before = len(terminal.heard(messages.SESSION))
        fields = {"boot": terminal.boot, "fw": "1.0", "board": "VIRTUAL", "wire": [1, 1], "caps": ["blind"]}
        await terminal.send(messages.HELLO, fields)
        await asyncio.sleep(_AT_LEAST_S / 2)
    return len(terminal.heard(messages.SESSION)) > before
