"""The flood process: one terminal that says as much as the wire takes, and comes back when cut off. Run by a bench.

Does not read what it is sent, and is nice to the bench: it is another machine's work, and would take the processor from
broker and terminals. It reads one JSON object from each line of standard input and answers each with one:
`flood` with a kind of flood and for how many seconds.
"""

import asyncio
import json
import os
import sys
import time
from contextlib import suppress
from typing import Any

from phoneterm.core import messages
from phoneterm_bridge.mqtt import packets

TELEMETRY, COMMANDS, QOS_2 = "telemetry", "commands", "qos-2"
KINDS = (TELEMETRY, COMMANDS, QOS_2)
_TOPICS = {COMMANDS: messages.COMMAND}
_KEEPALIVE_S = 600
_AT_ONCE = 50
_LARGE_BYTES = 16_000
_AGAIN_S = 0.05
_NICE = 19


async def flood(port: int, base: str, tid: str, password: str, kind: str, seconds: float) -> dict:
    """Flood a broker on 127.0.0.1; return how many messages were written, and how often the connection ended."""
    topic = messages.topic_of(base, tid, _TOPICS.get(kind, messages.TELEMETRY))
    until_s = time.monotonic() + seconds
    count = cut = 0
    while time.monotonic() < until_s:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(until_s - time.monotonic()):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    writer.write(packets.connect(tid, tid, password, _KEEPALIVE_S))
                    if (await reader.read(4))[3:] == b"\0":
                        while not writer.is_closing():
                            writer.write(_burst(topic, kind, count))
                            await writer.drain()
                            count += _AT_ONCE
                finally:
                    writer.transport.abort()
        cut += 1
        await asyncio.sleep(_AGAIN_S)
    return {"messages": count, "ended": cut}


def _burst(topic: str, kind: str, first: int) -> bytes:
    """Return some messages in one piece."""
    named = len(topic).to_bytes(2, "big") + topic.encode()
    if kind != QOS_2:
        return _pack(0x30, named + b'{"v":1,"uptime_s":1}\n' + b"0" * 32) * _AT_ONCE
    numbers = ((first + index) % packets.MOST_PACKET_ID + 1 for index in range(_AT_ONCE))
    return b"".join(_pack(0x34, named + number.to_bytes(2, "big") + bytes(_LARGE_BYTES)) for number in numbers)


def _pack(first: int, body: bytes) -> bytes:
    return bytes([first]) + packets.remaining_length(len(body)) + body


async def _obey() -> None:
    os.nice(_NICE)
    while line := await asyncio.to_thread(sys.stdin.readline):
        order: dict[str, Any] = json.loads(line)
        del order["do"]
        print(json.dumps(await flood(**order)), flush=True)


if __name__ == "__main__":
    asyncio.run(_obey())
