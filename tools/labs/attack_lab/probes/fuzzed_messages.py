"""Garbage from an enrolled terminal: every kind of message, and what is no MQTT at all. Stays within its budget.

Does not know what is wrong with each input: none may do anything but be refused.
"""

import asyncio
import contextlib
import json
import random

from phoneterm.core import mac, messages

from attack_lab.probe import Probe
from attack_lab.scenery.crowd import Crowd
from attack_lab.scenery.fake_terminal import FakeTerminal
from attack_lab.scenery.raw_client import RawClient, connect_of
from attack_lab.site import Site

_KINDS = (messages.HELLO, messages.STATE, messages.COMMAND, messages.ACK, messages.TELEMETRY, messages.REFUSAL)
_WRONG_FIELDS: tuple[tuple[str, object], ...] = (
    ("id", None), ("id", "x" * 33), ("op", "explode"), ("op", ["blind"]), ("number", ""), ("number", "1" * 300),
    ("number", "10\r\nAction: Originate"), ("number", "１０２"), ("number", "**102"), ("number", 102), ("first_ms", -1),
    ("first_ms", True), ("since_ms", 2**40), ("call", {}), ("call", "c1\n"), ("v", 2), ("v", "1"),
)  # fmt: skip
_NO_MQTT = (
    b"GET / HTTP/1.1\r\n\r\n", b"\x10\xff\xff\xff\xff\xff", b"\x10\x00", b"\x10\x0a\x00\x04MQTT\x04\xc2\x00",
    b"\x30\x05hello", b"\x00" * 50,
)  # fmt: skip
_FULL, _SHORT = 600, 60
_AT_ONCE, _PAUSE_S = 20, 0.5  # under the budget of 50 messages a second


class FuzzedMessages(Probe):
    """See `sentence`."""

    name = "fuzzed messages"
    sentence = "600 changed messages of every kind, signed commands with wrong fields, bytes that are no MQTT"

    async def run(self, site: Site) -> str | None:
        """Send everything, and see that nothing came of it."""
        scene = await site.open()
        victim, attacker = await scene.terminal(), await scene.terminal(scene.other)
        await victim.hello()
        chance = random.Random("fuzzed messages")  # noqa: S311 (nothing secret: each run shall try the same)
        await _send_no_mqtt(scene, chance)
        for field, value in _WRONG_FIELDS:
            await attacker.wire.send(attacker.topic(messages.COMMAND), _sign_wrong(attacker, field, value))
        for number in range(_SHORT if site.is_short else _FULL):
            if attacker.wire.is_lost:
                attacker = await scene.terminal(scene.other)
            kind = chance.choice(_KINDS)
            await attacker.wire.send(attacker.topic(kind), _make_garbage(attacker, kind, chance))
            if number % _AT_ONCE == 0:
                await asyncio.sleep(_PAUSE_S)
        attacker = await scene.terminal(scene.other)
        await attacker.hello()
        if scene.pbx.asked:
            return f"the PBX was asked for {scene.pbx.asked[0]}"
        answer = await victim.ask()
        return None if answer == ("accepted", None) else f"a command of another terminal afterwards was {answer}"


def _make_garbage(terminal: FakeTerminal, kind: str, chance: random.Random) -> bytes:
    """Return a message with some octets changed, removed or added; or any octets."""
    if chance.random() < 0.2:
        return chance.randbytes(chance.randrange(messages.MAX_PAYLOAD_BYTES))
    text = bytearray(json.dumps({"v": 1, "boot": "b1", "state": "online", "id": "s.1", "op": "blind", "n": 1}).encode())
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(text))
        text[at : at + chance.randrange(4)] = chance.randbytes(chance.randrange(4))
        text = text or bytearray(b"{")
    if chance.random() < 0.5:
        text += b"\n" + mac.sign(terminal.key, terminal.topic(kind).encode(), b"\n", bytes(text)).encode()
    return bytes(text)


def _sign_wrong(terminal: FakeTerminal, field: str, value: object) -> bytes:
    """Return a rightly signed command with one wrong field, past the checks of `messages.encode`."""
    text = json.dumps({"v": 1} | terminal.command(id="s.1") | {field: value}).encode()
    return text + b"\n" + mac.sign(terminal.key, terminal.topic(messages.COMMAND).encode(), b"\n", text).encode()


async def _send_no_mqtt(scene: Crowd, chance: random.Random) -> None:
    """Send octets that are no packets, before a login and in the middle of one."""
    connect = connect_of(scene.other, "fuzz")
    broken = [connect[: chance.randrange(1, len(connect))] + chance.randbytes(30) for _ in range(6)]
    for octets in (*_NO_MQTT, *broken):
        client = await RawClient.open(scene.bridge.broker_port)
        client.send(octets)
        with contextlib.suppress(OSError):
            client.writer.write_eof()
            await client.writer.drain()
        client.abort()
