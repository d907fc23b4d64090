"""One terminal subscribes to ever more filters, all its own; a broker may compare each with everybody's messages."""

import asyncio

from phoneterm.core import messages

from attack_lab.probe import Probe
from attack_lab.scenery.fake_terminal import BASE
from attack_lab.scenery.raw_client import RawClient, packet, text
from attack_lab.site import EMBEDDED, Site

_SUBSCRIBE = 0x82
_PACKETS, _FILTERS = 200, 8
_PAUSE_S = 0.025  # within its budget


class ManyFilters(Probe):
    """See `sentence`."""

    name = "many filters"
    sentence = f"one terminal subscribes to {_PACKETS * _FILTERS} filters, as slowly as its budget wants"
    brokers = (EMBEDDED,)  # mosquitto finds filters in a tree, and compares none

    async def run(self, site: Site) -> str | None:
        """Subscribe until the connection ends."""
        scene = await site.open()
        client = await RawClient.open(scene.bridge.broker_port)
        site.stack.callback(client.abort)
        await client.log_in(scene.enrolment, "c")
        reading = asyncio.create_task(client.wait_ended())
        site.stack.callback(reading.cancel)
        own = messages.topic_filters(BASE, scene.enrolment.tid)[0].removesuffix("#")
        for number in range(_PACKETS):
            filters = (text(f"{own}{number}/{part}") + b"\0" for part in range(_FILTERS))
            client.send(packet(_SUBSCRIBE, b"\0\1" + b"".join(filters)))
            await asyncio.sleep(_PAUSE_S)
            if reading.done():
                return None if await (await scene.terminal(scene.other)).hello() else "the others cannot speak"
        return f"it has {_PACKETS * _FILTERS} filters, and goes on"
