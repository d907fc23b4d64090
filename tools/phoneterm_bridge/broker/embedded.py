"""An MQTT broker inside the bridge: amqtt behind a front end of our own, only for the terminals of the directory.

Does not know payloads. Found in amqtt 0.12: it looks up, deletes and takes over sessions by client id before it
authenticates the client, publishes a will without asking the access rules, ignores the keepalive, and keeps messages
for clients without a clean session. So our front end (the door) reads CONNECT itself, and amqtt only sees admitted
clients, under a client id that begins with their user name, with a clean session. The door also enforces keepalive,
packet size and each terminal's budget, and whoever takes over from itself again and again has to wait.
"""

import asyncio
import secrets
import ssl
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import structlog
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType
from phoneterm.core import messages

from phoneterm_bridge.broker import client_packet, connect_packet
from phoneterm_bridge.broker import plugins as broker_plugins
from phoneterm_bridge.broker.access import WRITE, BrokerAccess
from phoneterm_bridge.broker.amqtt_broker import SubscribersOnlyBroker
from phoneterm_bridge.broker.connect_packet import Connect, ConnectRefused
from phoneterm_bridge.broker.doorkeeper import Doorkeeper
from phoneterm_bridge.broker.held import Held, HeldConnections
from phoneterm_bridge.broker.reader import Bounds, DoorReader, read_connect
from phoneterm_bridge.broker.writer import DoorWriter
from phoneterm_bridge.mqtt.budget import SMALL_RESERVE, Budget
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
_UNREAD_BYTES = 4096  # asyncio holds up to about twice that of one connection
_LOGIN_MESSAGES = 5  # what a login costs, in messages
_LISTENER = "default"


class DoorWatch(Protocol):
    """Whoever is told how terminals behave at the door."""

    def note_excess(self, tid: str, reason: str) -> None:
        """A terminal's connection was ended; says why, for the middle of a sentence."""

    def note_take_over(self, tid: str) -> float:
        """A client takes over from itself; returns for how many seconds it has to wait before."""


class EmbeddedBroker:
    """The broker; `address` is for the bridge itself, with a password that is new at every start unless one is given.

    With `tls` the terminals' connections are encrypted, and the bridge has its own plain port on loopback.
    """

    def __init__(
        self, host: str, port: int, base: str, directory: LiveDirectory, tls: ssl.SSLContext | None = None,
        password: str | None = None, watch: DoorWatch | None = None,
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
        self._held = HeldConnections()
        self._budgets: dict[str, Budget] = {}
        self._most_bytes = client_packet.most_bytes(base)
        self._watch = watch

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
                self._on_connection, self._host, self._port, backlog=_BACKLOG, limit=_UNREAD_BYTES, ssl=self._tls,
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
        for one in self._held.all():
            one.abort()
        await self._broker.shutdown()
        await self._server.wait_closed()
        self._doorkeeper.close()
        self._server = None

    def address_of(self, tid: str) -> str | None:
        """Return the address from which a terminal is connected, the latest if there are several."""
        held = self._held.of(tid)
        return (held[-1].address or None) if held else None

    def kick(self, tid: str) -> None:
        """Close every connection of a terminal, at once, also those that are still at the door."""
        self._doorkeeper.forget(tid)
        for one in self._held.of(tid):
            one.abort()

    async def _on_bridge(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._on_connection(reader, writer, is_back_door=True)

    async def _on_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_back_door: bool = False
    ) -> None:
        held = self._held.add(writer)
        try:
            connect = await self._admit(held, reader, is_back_door)
            await self._let_in(held)
            await self._serve(held, connect, reader)
        except ConnectRefused as refused:
            if refused.code:
                writer.write(connect_packet.build_connack(refused.code))
        except (OSError, EOFError, TimeoutError):
            pass  # the peer left, or said nothing for too long
        finally:
            await held.close(_GOODBYE_S)
            self._held.remove(held)

    async def _admit(self, held: Held, reader: asyncio.StreamReader, is_back_door: bool) -> Connect:
        """Return the CONNECT of a client with the right password and an allowed will."""
        connect = await read_connect(reader)
        if is_back_door and connect.username != _BRIDGE_NAME:
            raise ConnectRefused(connect_packet.REFUSED_NOT_ALLOWED)
        if not await self._doorkeeper.admits(connect.username, connect.password, held.address):
            structlog.get_logger().warning("login-refused", user=shorten(connect.username))
            raise ConnectRefused(connect_packet.REFUSED_CREDENTIALS)
        topic = connect.will_topic
        if topic is not None and not self._allows_will(connect):
            structlog.get_logger().warning("will-refused", user=connect.username, topic=shorten(topic))
            raise ConnectRefused(connect_packet.REFUSED_NOT_ALLOWED)
        held.user, held.client_id = connect.username, connect.client_id or secrets.token_hex(8)
        return connect

    def _allows_will(self, connect: Connect) -> bool:
        """Say whether a will is a message that its user might publish: amqtt would not ask."""
        is_small = len(connect.will_payload) <= messages.MAX_PAYLOAD_BYTES and connect.will_qos <= 1
        return is_small and self._access.allows(connect.username, WRITE, connect.will_topic or "")

    async def _let_in(self, held: Held) -> None:
        """Wait until a client may be served: within its budget, once its older connection has ended, not too many."""
        if self._count_beside(held) >= _MOST_CONNECTIONS_OF_ONE:
            raise ConnectRefused(connect_packet.REFUSED_NOT_ALLOWED)
        if held.user != _BRIDGE_NAME:
            await asyncio.sleep(self._budget_of(held.user).spend(0, _LOGIN_MESSAGES))
        if older := self._held.served(held.user, held.client_id):
            wait_s = self._watch.note_take_over(held.user) if self._watch and held.user != _BRIDGE_NAME else 0.0
            with suppress(TimeoutError):
                await asyncio.wait_for(older.is_over.wait(), wait_s)
        async with asyncio.timeout(_TAKE_OVER_TIMEOUT_S):
            while older := self._held.served(held.user, held.client_id):  # another may have been quicker meanwhile
                older.abort()
                await older.is_over.wait()
        if not held.is_open:  # it left while it waited, or was revoked
            raise EOFError
        held.is_served = True

    async def _serve(self, held: Held, connect: Connect, reader: asyncio.StreamReader) -> None:
        """Let amqtt serve a client that was let in."""

        def cut(reason: str) -> None:
            if not held.cut and self._watch:
                self._watch.note_excess(held.user, reason)
            held.cut = held.cut or reason

        name = f"{held.user}/{held.client_id}"
        seen = replace(connect, client_id=name, keepalive_s=0)
        undone, unacknowledged = partial(self._broker.undone, name), partial(self._broker.unacknowledged, name)
        subscribed = partial(self._broker.subscribed, name)
        bounds = Bounds(self._most_bytes, self._budget_of(held.user), undone, unacknowledged, subscribed, cut)
        is_ours = held.user == _BRIDGE_NAME
        packet = connect_packet.build_connect(seen)
        door = DoorReader(packet, reader, connect.keepalive_s, None if is_ours else bounds)
        try:
            await self._broker.external_connected(door, DoorWriter(held.writer, cut), _LISTENER)
        finally:
            held.is_served = False
            held.is_over.set()

    def _count_beside(self, held: Held) -> int:
        """Return how many connections a client has open beside this one, and beside the one that it takes over."""
        others = (one for one in self._held.of(held.user) if one is not held and one.is_open)
        older = self._held.served(held.user, held.client_id)
        return sum(one is not older for one in others)

    def _budget_of(self, user: str) -> Budget:
        """Return the budget of a user, which outlives its connections."""
        return self._budgets.setdefault(user, Budget(reserve=SMALL_RESERVE))


def _port_of(server: asyncio.Server) -> int:
    return server.sockets[0].getsockname()[1]
