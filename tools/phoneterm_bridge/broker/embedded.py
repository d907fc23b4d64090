"""An MQTT broker inside the bridge: amqtt behind a front end of our own, only for the terminals of the directory.

Does not know payloads. Found in amqtt 0.12: it looks up, deletes and takes over sessions by client id before it
authenticates the client, publishes a will without asking the access rules, ignores the keepalive, and keeps messages
for clients without a clean session. So our front end (the door) reads CONNECT itself, and amqtt only sees admitted
clients, under a client id that begins with their user name, with a clean session. The door also enforces keepalive and
packet size.
"""

import asyncio
import secrets
import ssl
from collections import defaultdict
from dataclasses import replace
from typing import Any

import structlog
from amqtt.adapters import StreamWriterAdapter
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType

from phoneterm_bridge.broker import connect_packet
from phoneterm_bridge.broker import plugins as broker_plugins
from phoneterm_bridge.broker.access import WRITE, BrokerAccess
from phoneterm_bridge.broker.amqtt_broker import SubscribersOnlyBroker
from phoneterm_bridge.broker.connect_packet import Connect, ConnectRefused
from phoneterm_bridge.broker.doorkeeper import Doorkeeper
from phoneterm_bridge.broker.reader import DoorReader, read_connect
from phoneterm_bridge.mqtt.connection import BrokerAddress
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.live_directory import LiveDirectory
from phoneterm_bridge.wording.logs import shorten

_BRIDGE_NAME = "BRIDGE"  # no terminal can have this name: a tid is lower case
_LOOPBACK = "127.0.0.1"
_HANDSHAKE_TIMEOUT_S = 10  # an ESP32 takes up to 3
_MOST_CONNECTIONS_OF_ONE = 4
_TAKE_OVER_TIMEOUT_S = 2
_GOODBYE_S = 1
_BACKLOG = 1024  # a site's terminals may all come back at once
_LISTENER = "default"


class EmbeddedBroker:
    """The broker; `address` is for the bridge itself, with a password that is new at every start unless one is given.

    With `tls` the terminals' connections are encrypted, and the bridge has its own plain port on loopback.
    """

    def __init__(
        self, host: str, port: int, base: str, directory: LiveDirectory, tls: ssl.SSLContext | None = None,
        password: str | None = None,
    ) -> None:  # fmt: skip
        self._host = host
        self._port = port
        self._tls = tls
        self._access = BrokerAccess(base, _BRIDGE_NAME)
        self._password = password or secrets.token_urlsafe(24)
        self._doorkeeper = Doorkeeper(directory, _BRIDGE_NAME, self._password)
        self._broker: Any = None  # amqtt's Broker; amqtt has no types
        self._server: asyncio.Server | None = None
        self._back_door: asyncio.Server | None = None
        self._open: dict[str, dict[str, tuple[asyncio.StreamWriter, asyncio.Event]]] = defaultdict(dict)

    @property
    def port(self) -> int:
        """The port it listens on; chosen by the system when the settings said 0."""
        return _port_of(self._server) if self._server else self._port

    @property
    def address(self) -> BrokerAddress:
        """Where and how the bridge itself connects."""
        if self._back_door is not None:
            return BrokerAddress(_LOOPBACK, _port_of(self._back_door), _BRIDGE_NAME, self._password)
        host = _LOOPBACK if self._host in ("0.0.0.0", "") else self._host
        return BrokerAddress(host, self.port, _BRIDGE_NAME, self._password)

    @property
    def retained_topics(self) -> set[str]:
        """The topics that have a retained message."""
        return set(self._broker.retained_messages)

    async def start(self) -> None:
        """Start listening; SetupProblem when the port is taken."""
        plugins = broker_plugins.configure(self._access)
        listeners = {_LISTENER: ListenerConfig(type=ListenerType.EXTERNAL)}
        self._broker = SubscribersOnlyBroker(BrokerConfig(listeners=listeners, plugins=plugins))
        await self._broker.start()
        try:
            if self._tls is not None:
                self._back_door = await asyncio.start_server(self._on_bridge, _LOOPBACK, 0)
            self._server = await asyncio.start_server(
                self._on_connection, self._host, self._port, backlog=_BACKLOG, ssl=self._tls,
                ssl_handshake_timeout=_HANDSHAKE_TIMEOUT_S if self._tls else None,
            )  # fmt: skip
        except OSError as error:
            if self._back_door is not None:
                self._back_door.close()
            await self._broker.shutdown()
            raise SetupProblem(
                f"The broker cannot listen on port {self._port} of {self._host} ({error.strerror}); broker.port in the "
                "settings, or --set broker.port=PORT, chooses another."
            ) from None

    async def stop(self) -> None:
        """Deliver what was published, within a time limit, close all connections and stop listening."""
        if self._server is None:
            return
        self._server.close()
        if self._back_door is not None:
            self._back_door.close()
        await self._broker.deliver(_GOODBYE_S)
        for tid in tuple(self._open):
            self.kick(tid)
        await self._broker.shutdown()
        await self._server.wait_closed()
        self._doorkeeper.close()
        self._server = None

    def address_of(self, tid: str) -> str | None:
        """Return the address from which a terminal is connected, the latest if there are several."""
        for writer, _ in reversed(self._open.get(tid, {}).values()):
            peer = writer.get_extra_info("peername")
            return str(peer[0]) if peer else None
        return None

    def kick(self, tid: str) -> None:
        """Close every connection of a terminal, at once."""
        self._doorkeeper.forget(tid)
        for writer, _ in tuple(self._open.get(tid, {}).values()):
            writer.transport.abort()

    async def _on_bridge(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._on_connection(reader, writer, is_back_door=True)

    async def _on_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_back_door: bool = False
    ) -> None:
        try:
            connect = await self._admit(reader, is_back_door)
            await self._serve(connect, reader, writer)
        except ConnectRefused as refused:
            if refused.code:
                writer.write(connect_packet.build_connack(refused.code))
        except (OSError, EOFError, TimeoutError):
            pass  # the peer left, or said nothing for too long
        finally:
            writer.close()

    async def _admit(self, reader: asyncio.StreamReader, is_back_door: bool) -> Connect:
        """Return the CONNECT of a client with the right password, an allowed will and not too many connections."""
        connect = await read_connect(reader)
        if is_back_door and connect.username != _BRIDGE_NAME:
            raise ConnectRefused(connect_packet.REFUSED_NOT_ALLOWED)
        if not await self._doorkeeper.admits(connect.username, connect.password):
            structlog.get_logger().warning("login-refused", user=shorten(connect.username))
            raise ConnectRefused(connect_packet.REFUSED_CREDENTIALS)
        topic = connect.will_topic
        if topic is not None and not self._access.allows(connect.username, WRITE, topic):
            structlog.get_logger().warning("will-refused", user=connect.username, topic=shorten(topic))
            raise ConnectRefused(connect_packet.REFUSED_NOT_ALLOWED)
        return connect

    async def _serve(self, connect: Connect, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let amqtt serve an admitted client once its older connection has ended."""
        client_id = connect.client_id or secrets.token_hex(8)
        async with asyncio.timeout(_TAKE_OVER_TIMEOUT_S):
            while older := self._open[connect.username].get(client_id):  # another may have been quicker meanwhile
                older[0].transport.abort()
                await older[1].wait()
        mine = self._open[connect.username]
        if len(mine) >= _MOST_CONNECTIONS_OF_ONE:
            raise ConnectRefused(connect_packet.REFUSED_NOT_ALLOWED)
        is_over = asyncio.Event()
        mine[client_id] = (writer, is_over)
        try:
            seen = replace(connect, client_id=f"{connect.username}/{client_id}", keepalive_s=0)
            door = DoorReader(connect_packet.build_connect(seen), reader, connect.keepalive_s)
            await self._broker.external_connected(door, StreamWriterAdapter(writer), _LISTENER)
        finally:
            is_over.set()
            del mine[client_id]
            if not mine:
                self._open.pop(connect.username, None)


def _port_of(server: asyncio.Server) -> int:
    return server.sockets[0].getsockname()[1]
