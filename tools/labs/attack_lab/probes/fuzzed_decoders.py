"""Random and changed inputs for every decoder of phone, bridge and lab. `decoder_checks` says what must be true."""

import asyncio
import json
import random

from fault_lab.decoder_checks import CHECKS
from phoneterm_bridge.broker.connect_packet import Connect, build_connect
from phoneterm_bridge.mqtt import packets

from attack_lab.probe import WITHOUT_BROKER, Probe
from attack_lab.site import Site

_FULL, _SHORT = 8000, 200
_AT_ONCE = 200
_SEEDS = (
    packets.publish("t/down/call", b'{"v":1}', 7),
    b"\x40\x02\x00\x09\xd0\x00\x20\x02\x00\x00\x90\x04\x00\x01\x01\x80",
    build_connect(Connect("one", "t101", "", 15, "t/up/state", b"gone", 1, True))[2:],
    b"Event: Newchannel\r\nChannel: PJSIP/101-00000001\r\nUniqueid: 1.1\r\n\r\n",
    b"Asterisk Call Manager/11.0.0\r\nResponse: Error\r\nMessage: No such channel\r\n\r\n",
    json.dumps({"v": 1, "id": "7d20c6e1b4.12", "op": "blind", "number": "102", "first_ms": 1, "since_ms": 2}).encode(),
)


class FuzzedDecoders(Probe):
    """See `sentence`."""

    name = "fuzzed decoders"
    sentence = f"{_FULL} random and changed inputs for each decoder of MQTT, AMI, messages, topics and logins"
    brokers = WITHOUT_BROKER

    async def run(self, site: Site) -> str | None:
        """Check every decoder with the same inputs in each run."""
        chance = random.Random("fuzzed decoders")  # noqa: S311 (nothing secret: each run shall try the same)
        inputs = [_change(chance) for _ in range(_SHORT if site.is_short else _FULL)]
        for name, check in CHECKS.items():
            for number, octets in enumerate(inputs):
                try:
                    check(octets)
                except Exception as error:
                    return f"the decoder {name!r} raised {type(error).__name__} for {octets[:40]!r}"
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0)  # so that it can be interrupted
        return None


def _change(chance: random.Random) -> bytes:
    if chance.random() < 0.3:
        return chance.randbytes(chance.randrange(400))
    octets = b"".join(chance.choice(_SEEDS) for _ in range(chance.randrange(1, 4)))
    for _ in range(chance.randrange(6)):
        at = chance.randrange(len(octets) + 1)
        octets = octets[:at] + chance.randbytes(chance.randrange(5)) + octets[at + chance.randrange(4) :]
    return octets
