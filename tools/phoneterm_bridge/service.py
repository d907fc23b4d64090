"""The bridge as a whole: makes the parts, starts them in order, and takes them down again. Decides nothing itself.

Order of going: no more intake, what is with the PBX finishes (bounded), "offline" is published, broker and store
close. Trouble at the start is a SetupProblem; later trouble with broker or PBX is waited out.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

import structlog
from phoneterm.core import messages

from phoneterm_bridge.broker.tls import make_client_context, make_server_context
from phoneterm_bridge.command.checks import Checks
from phoneterm_bridge.command.dispatcher import CommandDispatcher
from phoneterm_bridge.command.message_router import MessageRouter
from phoneterm_bridge.command.pbx_requests import PbxRequests
from phoneterm_bridge.command.running_commands import RunningCommands
from phoneterm_bridge.health.health import Health
from phoneterm_bridge.mqtt.connection import BrokerAddress, Will
from phoneterm_bridge.mqtt.link import Link, MqttLink
from phoneterm_bridge.mqtt.pulse import Pulse
from phoneterm_bridge.pbx.port import Pbx, PbxRejectedLogin
from phoneterm_bridge.policy.record import record_policy
from phoneterm_bridge.policy.site import make_policy
from phoneterm_bridge.policy.site_limit import SiteLimit
from phoneterm_bridge.settings.bridge import BridgeSettings, BrokerSettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal import Journal
from phoneterm_bridge.store.live_directory import LiveDirectory
from phoneterm_bridge.store.owner import own_store
from phoneterm_bridge.store.refreshing import keep_refreshing
from phoneterm_bridge.terminals.outbox import Outbox
from phoneterm_bridge.terminals.phone_config import make_config
from phoneterm_bridge.terminals.publisher import TerminalPublisher
from phoneterm_bridge.terminals.request_desk import RequestDesk
from phoneterm_bridge.terminals.sessions import Sessions
from phoneterm_bridge.terminals.telemetry import Telemetry
from phoneterm_bridge.terminals.troubles import Troubles
from phoneterm_bridge.terminals.updates import TerminalUpdates

if TYPE_CHECKING:  # imported only where there is one: a bridge with a mosquitto does not carry amqtt
    from phoneterm_bridge.broker.embedded import EmbeddedBroker

_FINISH_S = 5


class Bridge:
    """One bridge between terminals and a PBX. `link` replaces the MQTT connection of the settings."""

    def __init__(self, settings: BridgeSettings, pbx: Pbx, link: Link | None = None) -> None:
        self._settings = settings
        self._pbx = pbx
        self._link = link
        self._broker: EmbeddedBroker | None = None
        self._parts = AsyncExitStack()
        self._hurried = asyncio.Event()
        self._outbox = Outbox()
        self.health = Health(pbx)
        self.http_port: int | None = None

    @property
    def is_link_up(self) -> bool:
        """Say whether the bridge is connected to the broker and subscribed."""
        return self.health.is_link_up

    @property
    def broker_port(self) -> int:
        """The port of the MQTT broker."""
        return self._broker.port if self._broker else self._settings.broker.port

    @property
    def directory(self) -> Directory:
        """The directory, to write to; terminals are told of a change within a quarter of a second."""
        return Directory(self._engine, "bridge")

    @property
    def refused(self) -> Counter[str]:
        """How many messages from terminals were refused since the start, by reason; one log line each."""
        return self._router.refused

    async def start(self) -> None:
        """Start everything; if one part cannot be started, those before it are stopped again."""
        try:
            await self._start_store()
            await self._start_policy()
            await self._start_link()
            await self._start_pbx()
        except BaseException:
            await self._parts.aclose()
            raise

    async def stop(self) -> None:
        """Finish what is in flight, say offline, and stop everything."""
        self.health.is_stopping = True
        await self._parts.aclose()

    def hurry(self) -> None:
        """Do not wait any longer, when stopping, for what the PBX has not answered."""
        self._hurried.set()

    async def _start_store(self) -> None:
        self._engine = await asyncio.to_thread(open_store, self._settings.store.path)
        self._parts.callback(self._engine.dispose)
        self._parts.enter_context(own_store(self._settings.store.path))
        self._directory = LiveDirectory(self._engine)
        await self._directory.refresh()
        self._journal = self._make_journal()
        unknown = await self._journal.start()
        self._parts.push_async_callback(self._journal.stop)
        if unknown:
            structlog.get_logger().warning("commands-without-a-result-are-now-unknown", count=unknown)

    def _make_journal(self) -> Journal:
        if not self._settings.http.enabled:
            return Journal(self._engine)
        from phoneterm_bridge.web.counted_journal import CountedJournal

        return CountedJournal(self._engine, self.health)

    async def _start_policy(self) -> None:
        self._policy = make_policy(self._settings.phones, self._settings.policy)
        await asyncio.to_thread(record_policy, self._engine, self._settings.phones, self._settings.policy)
        self._site = SiteLimit(self._settings.policy, self._engine, self._directory)
        await self._site.recall(self._policy)
        self._parts.push_async_callback(self._site.stop)

    async def _start_link(self) -> None:
        settings = self._settings.broker
        if self._link is None:
            address = await self._start_broker(settings) if settings.embedded else address_of(settings)
            address.make_tls()  # files that cannot be used are trouble of the start
            self._link = MqttLink(address, messages.bridge_filter(settings.base), will_of(settings.base))
        self._join_parts(self._link)
        self._start_watching(self._link)
        await self._start_pages()
        await self._link.start(self)
        self._parts.push_async_callback(self._link.stop)
        self._parts.callback(self._outbox.flush)
        self._parts.callback(self._publisher.say_bridge_state, "offline")

    async def _start_broker(self, settings: BrokerSettings) -> BrokerAddress:
        from phoneterm_bridge.broker.embedded import EmbeddedBroker

        tls = None
        if settings.certificate_path and settings.key_path:
            tls = make_server_context(settings.certificate_path, settings.key_path, settings.client_ca_path)
        self._broker = EmbeddedBroker(settings.host, settings.port, settings.base, self._directory, tls)
        await self._broker.start()
        self._parts.push_async_callback(self._broker.stop)
        return self._broker.address

    def _join_parts(self, link: Link) -> None:
        phones = self._settings.phones
        self._sessions = sessions = Sessions(phones.ttl_ms)
        config = make_config(phones, self._pbx.operations, self._engine)
        self._publisher = TerminalPublisher(link, self._settings.broker.base, self._directory, self._outbox)
        self._running_commands = RunningCommands(self._publisher, self._journal, self._outbox)
        self._parts.callback(self._running_commands.stop)
        self._troubles = self.health.troubles = Troubles(self._engine)
        self._updates = TerminalUpdates(
            self._directory, sessions, self._publisher, self._pbx, self._policy, config, self._troubles
        )
        self._desk = RequestDesk(
            self._engine,
            self._directory,
            sessions,
            self._updates.crash_reports,
            self._publisher,
            lambda: self.is_link_up,
        )
        pbx_requests = PbxRequests(self._pbx)
        checks = Checks(
            self._directory, sessions, self._policy, self._site.limits, self._pbx, pbx_requests, self._running_commands
        )
        self._dispatcher = CommandDispatcher(
            checks, pbx_requests, self._journal, self._running_commands, self._publisher, self._outbox
        )
        self._telemetry = Telemetry()
        self._router = MessageRouter(
            self._settings.broker.base, self._directory, self._updates, self._dispatcher, self._journal,
            self._telemetry, self._troubles,
        )  # fmt: skip

    def _start_watching(self, link: Link) -> None:
        self._pulse = self.health.pulse = Pulse(link, self._settings.broker.base)
        for work in (self._pulse.run(), self.health.watch_loop()):
            self._parts.push_async_callback(_end_task, asyncio.create_task(work, name="health"))

    async def _start_pages(self) -> None:
        if not self._settings.http.enabled:
            return
        from phoneterm_bridge.web.counted_journal import CountedJournal
        from phoneterm_bridge.web.figures import Sources
        from phoneterm_bridge.web.joining import serve_pages

        assert isinstance(self._journal, CountedJournal)
        sources = Sources(
            self.health, self._journal, self._router, self._dispatcher, self._running_commands, self._publisher,
            self._sessions, self._directory, self._telemetry, self._settings.store.path,
        )  # fmt: skip
        server = await serve_pages(self._settings.http, sources)
        self.http_port = server.port
        self._parts.push_async_callback(server.stop)

    async def _start_pbx(self) -> None:
        self._pbx.listen(self)
        try:
            await self._pbx.start()
        except PbxRejectedLogin as error:
            raise SetupProblem(f"{error} (pbx.username and pbx.secret in the settings).") from None
        self._parts.push_async_callback(self._pbx.stop)
        refresher = asyncio.create_task(
            keep_refreshing(self.refresh, self.health.on_store_read), name="directory refresh"
        )
        self._parts.push_async_callback(_end_task, refresher)
        self._parts.push_async_callback(self._finish_commands)

    async def _finish_commands(self) -> None:
        """Take no more commands, and wait for what is with the PBX: for a while, and only until somebody hurries."""
        self._dispatcher.close()
        finishing = asyncio.create_task(self._dispatcher.finish(_FINISH_S))
        hurrying = asyncio.create_task(self._hurried.wait())
        await asyncio.wait((finishing, hurrying), return_when=asyncio.FIRST_COMPLETED)
        for task in (finishing, hurrying):
            await _end_task(task)
        if self._dispatcher.in_flight:
            words = {"commands": self._dispatcher.in_flight, "is_hurried": self._hurried.is_set()}
            structlog.get_logger().warning("left-with-the-pbx", **words)

    async def refresh(self) -> None:
        """Take over at once what changed in the store, and tell the terminals it concerns; pass requests on."""
        changed = await self._directory.refresh()
        self._site.follow_directory()
        self._updates.tell_changed(changed)
        for tid in changed:
            if tid in self._directory.rotated:
                self._updates.see_off(tid)
            if self._broker is not None and (self._directory.find(tid) is None or tid in self._directory.rotated):
                self._broker.kick(tid)
        if self.is_link_up:
            self._updates.send_again()
        await self._desk.serve()
        await self._troubles.keep()

    def _say_state(self) -> None:
        self._publisher.say_bridge_state("online" if self._pbx.is_available else "degraded")

    def on_link(self, is_up: bool) -> None:
        """The MQTT link is up or down: what was to be said before is said or lost by now."""
        self._outbox.flush()
        self.health.on_link(is_up)
        if is_up:
            self._say_state()
            self._updates.catch_up()

    async def on_message(self, topic: str, payload: bytes, is_retained: bool, acknowledge: Callable[[], None]) -> None:
        """A message came from a terminal."""
        if not self._pulse.takes(topic, payload):
            await self._router.receive(topic, payload, is_retained, acknowledge)

    def on_pause(self) -> None:
        """All messages that came together have been begun with: what they have for the journal is written at once."""
        self._journal.flush()

    def on_calls_changed(self, endpoint: str) -> None:
        """The PBX's calls of an endpoint changed."""
        self._running_commands.on_calls(endpoint, {call.ref for call in self._pbx.calls(endpoint)})
        self._updates.tell_calls(endpoint)

    def on_progress(self, ref: str, state: str, reason: str | None) -> None:
        """A transfer went on."""
        self._running_commands.on_progress(ref, state, reason)

    def on_arrival(self, ref: str, reason: str | None) -> None:
        """Whom a blind transfer sent away was answered, or was not."""
        self._running_commands.on_arrival(ref, reason)

    def on_availability(self, is_available: bool) -> None:
        """The PBX can be asked now, or no longer."""
        if is_available:
            structlog.get_logger().info("pbx-available")
        else:
            structlog.get_logger().warning("pbx-away")
        self.health.on_availability(is_available)
        self._say_state()
        for endpoint in self._running_commands.endpoints() if is_available else ():
            self._running_commands.on_resync(endpoint, self._pbx.calls(endpoint))
            self._updates.tell_calls(endpoint)


def address_of(settings: BrokerSettings) -> BrokerAddress:
    """Return how to reach the broker of the settings."""
    password = settings.password.get_secret_value()
    make_tls = partial(make_client_context, settings)
    return BrokerAddress(settings.host, settings.port, settings.username, password, settings.keepalive_s, make_tls)


def will_of(base: str) -> Will:
    """Return what the broker says when the bridge is gone without a word."""
    topic = messages.topic_of(base, "", messages.BRIDGE_STATE)
    return Will(topic, messages.encode(messages.BRIDGE_STATE, topic, None, {"state": "offline"}))


async def _end_task(task: asyncio.Task) -> None:
    task.cancel()
    await asyncio.wait([task])
