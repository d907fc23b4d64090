"""The two SIP datagrams that the lab itself sends: a phone's registration, and a signal to a SIPp call.

Does not answer or place calls; SIPp does. The PBX never sees the signal: it goes to SIPp, which finds the call by its
Call-ID and does what a user would do (pick up, hang up).
"""

import asyncio
import socket
import uuid

ANSWER_S = 0.1
REGISTERED_S = 600
HANDSET = "INFO"
HOLD_KEY = "MESSAGE"
RELEASE_KEY = "NOTIFY"


class _Reply(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.first: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self.first.done():
            self.first.set_result(data)


async def register(user: str, contact_port: int | None, pbx_port: int) -> str:
    """Register `user` at this port (None: unregister) and return the status line, "" when no answer came."""
    contact = "*" if contact_port is None else f"<sip:{user}@127.0.0.1:{contact_port}>"
    seconds = 0 if contact_port is None else REGISTERED_S
    loop = asyncio.get_running_loop()
    transport, reply = await loop.create_datagram_endpoint(_Reply, remote_addr=("127.0.0.1", pbx_port))
    own_port = transport.get_extra_info("sockname")[1]
    lines = [
        f"REGISTER sip:127.0.0.1:{pbx_port} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:{own_port};branch=z9hG4bK{uuid.uuid4().hex}",
        f"From: <sip:{user}@127.0.0.1>;tag={uuid.uuid4().hex[:8]}",
        f"To: <sip:{user}@127.0.0.1>",
        f"Call-ID: {uuid.uuid4().hex}",
        "CSeq: 1 REGISTER",
        "Max-Forwards: 70",
        f"Contact: {contact}",
        f"Expires: {seconds}",
        "Content-Length: 0",
    ]
    try:
        transport.sendto("\r\n".join([*lines, "", ""]).encode())
        async with asyncio.timeout(ANSWER_S):
            return (await reply.first).split(b"\r\n", 1)[0].decode()
    except (TimeoutError, OSError):
        return ""
    finally:
        transport.close()


def tell_call(call_id: str, sipp_port: int, method: str = HANDSET) -> None:
    """Tell the SIPp call with this Call-ID that its user acts.

    HANDSET: picks up when it rings, hangs up when it talks. HOLD_KEY: puts on hold. RELEASE_KEY: takes
    back. Each may be repeated: a phone that has done it already does nothing.
    """
    lines = [
        f"{method} sip:phone@127.0.0.1:{sipp_port} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:{sipp_port};branch=z9hG4bK{uuid.uuid4().hex}",
        "From: <sip:lab@127.0.0.1>;tag=lab",
        "To: <sip:phone@127.0.0.1>",
        f"Call-ID: {call_id}",
        f"CSeq: 1 {method}",
        "Content-Length: 0",
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto("\r\n".join([*lines, "", ""]).encode(), ("127.0.0.1", sipp_port))
