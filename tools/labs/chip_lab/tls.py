"""What an emulated chip needs to speak TLS to the bridge's broker: certificates, and a time server on this computer.

Does not say whether the chip manages to.
"""

import asyncio
import socket
import struct
import time
from pathlib import Path
from typing import Any

from link_lab.certificates import make_certificates

from chip_lab.phone import HOST_AS_SEEN

BROKER_NAME = "lab-broker"
TIME_PORT = 123
_SINCE_1900_S = 2_208_988_800


def make_options(folder: Path) -> tuple[tuple[str, ...], dict[str, str], dict[str, bytes]]:
    """Return settings for a bridge with TLS, settings for its terminal, and the files for the terminal's board."""
    certificates = make_certificates(folder, BROKER_NAME)
    of_bridge = (
        f"broker.certificate_path={folder / 'broker.pem'}",
        f"broker.key_path={folder / 'broker.key'}",
        f"broker.ca_path={folder / 'ca.pem'}",
    )
    of_terminal = {"tls": "ca", "tls_ca_path": "ca.der", "tls_host": BROKER_NAME, "time_host": HOST_AS_SEEN}
    return of_bridge, of_terminal, {"ca.der": certificates.ca_path.read_bytes()}


class TimeServerFailed(Exception):
    """There is no time server; the sentence says why, and how to do without."""


def check_time_port(port: int = TIME_PORT) -> None:
    """Try whether a time server can have its port; TimeServerFailed when it cannot."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
            trial.bind(("127.0.0.1", port))
    except OSError as error:
        raise _failed(error) from None


class TimeServer(asyncio.DatagramProtocol):
    """Tells this computer's time on loopback, at the only port that MicroPython asks; this needs root."""

    @classmethod
    async def start(cls, port: int = TIME_PORT) -> asyncio.DatagramTransport:
        """Start answering; TimeServerFailed when the port cannot be used."""
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_datagram_endpoint(cls, local_addr=("127.0.0.1", port))
        except OSError as error:
            raise _failed(error) from None
        return transport

    def connection_made(self, transport: Any) -> None:
        """Keep the transport for the answers."""
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        """Answer this query with the time; nobody reads the other fields."""
        answer = bytes((0x24, 1)) + bytes(22) + data[40:48] + bytes(8)
        answer += struct.pack("!II", int(time.time()) + _SINCE_1900_S, 0)
        self._transport.sendto(answer, address)


def _failed(error: OSError) -> TimeServerFailed:
    return TimeServerFailed(
        f"The time server cannot start ({error.strerror}): run this as root, or leave TLS out with --no-tls."
    )
