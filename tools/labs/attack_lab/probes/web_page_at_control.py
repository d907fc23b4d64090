"""A web page in the user's browser posts to the control sockets of phone and lab, to press keys and to dial. Has no
token."""

import asyncio
import contextlib
import json

from pbx_lab.control import LabControl
from pbx_simulator.simulator_lab import SimulatorLab
from virtual_phone.build import Build
from virtual_phone.client import PhoneClient
from virtual_phone.phone import VirtualPhone

from attack_lab.probe import WITHOUT_BROKER, Probe
from attack_lab.site import Site

_ANSWER_S = 15.0  # a socket that waits for the rest of a first line ends after 10
_IDLE = "import time\n\nwhile True:\n    time.sleep_ms(50)\n"
_HOLD = b'{"command":"hold","legend":"5"}\n'
_CALL = b'{"do": "call", "with": ["103", "101"]}\n'


class WebPageAtControl(Probe):
    """See `sentence`."""

    name = "web page: control sockets"
    sentence = "HTTP POST with a key press or a call in its body, no token, a guessed token, to phone and lab"
    brokers = WITHOUT_BROKER

    async def run(self, site: Site) -> str | None:
        """Post to each."""
        return await _attack_phone(site) or await _attack_lab(site)


async def _attack_phone(site: Site) -> str | None:
    folder = site.new_folder()
    (folder / "main.py").write_text(_IDLE)
    phone = VirtualPhone({"tid": "desk-101"}, build=Build(folder))
    await phone.start()
    site.stack.push_async_callback(phone.stop)
    for begin in _beginnings(_HOLD):
        answer = await _say(phone.control_port, begin)
        if answer or phone.matrix.closed:
            return f"the phone answered {answer[:60]!r} to {begin[:20]!r}; keys down: {sorted(phone.matrix.closed)}"
    client = await PhoneClient.connect("127.0.0.1", phone.control_port)
    state = await client.state()
    await client.close()
    return None if state["running"] else "the phone stands still afterwards"


async def _attack_lab(site: Site) -> str | None:
    lab = SimulatorLab()
    await lab.start()
    site.stack.push_async_callback(lab.stop)
    control = LabControl(lab)
    port = await control.start(0)
    site.stack.push_async_callback(control.stop)
    for begin in _beginnings(_CALL):
        answer = await _say(port, begin)
        if answer or await lab.legs():
            return f"the lab answered {answer[:60]!r} to {begin[:20]!r}; legs: {await lab.legs()}"
    return None


def _beginnings(body: bytes) -> tuple[bytes, ...]:
    """Return what connections begin with, each followed by a request."""
    length = str(len(body)).encode()
    post = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: " + length + b"\r\n\r\n"
    got = b"GET /" + json.dumps(body.decode()).encode() + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    return tuple(begin + body for begin in (post, got, b"", b"\n", b"A" * 43 + b"\n", b"x" * 10_000 + b"\n"))


async def _say(port: int, octets: bytes) -> bytes:
    """Send octets, and return the answer up to the end of the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_ANSWER_S):
            writer.write(octets)
            writer.write_eof()
            answer = await reader.read()
    writer.transport.abort()
    return answer
