"""Joins the parts of one bridge. Does not start any of them.

`assemble` returns `Parts`, complete and immutable: each part has everything it needs, and nothing is added later.
"""

import platform
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa
from phoneterm.core import messages

from phoneterm_bridge.broker.renewable_tls import RenewableTls
from phoneterm_bridge.broker.tls import make_client_context
from phoneterm_bridge.command.checks import Checks
from phoneterm_bridge.command.dispatcher import CommandDispatcher
from phoneterm_bridge.command.message_router import MessageRouter
from phoneterm_bridge.command.pbx_requests import PbxRequests
from phoneterm_bridge.command.running_commands import RunningCommands
from phoneterm_bridge.health.certificate_watch import CertificateWatch
from phoneterm_bridge.health.health import Health
from phoneterm_bridge.mqtt.connection import BrokerAddress, Will
from phoneterm_bridge.mqtt.inbound import Inbound
from phoneterm_bridge.mqtt.link import Link, MqttLink
from phoneterm_bridge.mqtt.listening import ListeningToAll, ListeningToEach
from phoneterm_bridge.mqtt.pulse import PULSE_NAME, Pulse
from phoneterm_bridge.pbx.backends import make_permission_source
from phoneterm_bridge.pbx.port import Pbx
from phoneterm_bridge.permissions.following import PermissionFollower
from phoneterm_bridge.policy.rules import Policy
from phoneterm_bridge.policy.site import make_policy
from phoneterm_bridge.policy.site_limit import SiteLimit
from phoneterm_bridge.settings.bridge import BridgeSettings, BrokerSettings
from phoneterm_bridge.settings.timing import USUAL, Timing
from phoneterm_bridge.store.journal import Journal
from phoneterm_bridge.store.live_directory import LiveDirectory
from phoneterm_bridge.store.store_file import StoreFile
from phoneterm_bridge.terminals.host_clock import HostClock
from phoneterm_bridge.terminals.line_watch import LineWatch
from phoneterm_bridge.terminals.outbox import Outbox
from phoneterm_bridge.terminals.phone_config import make_config
from phoneterm_bridge.terminals.publisher import TerminalPublisher
from phoneterm_bridge.terminals.refusals import Refusals
from phoneterm_bridge.terminals.request_desk import RequestDesk
from phoneterm_bridge.terminals.sessions import Sessions
from phoneterm_bridge.terminals.sightings import Sightings
from phoneterm_bridge.terminals.telemetry import Telemetry
from phoneterm_bridge.terminals.troubles import Troubles
from phoneterm_bridge.terminals.updates import TerminalUpdates

if TYPE_CHECKING:  # imported only when needed: a bridge with a mosquitto does not load amqtt
    from phoneterm_bridge.broker.embedded import EmbeddedBroker
    from phoneterm_bridge.web.server import HttpServer


@dataclass(frozen=True)
class Parts:
    """The parts of one bridge. broker: the embedded one, None where the settings name another; tls: its own, if any;
    certificate: None where the broker has no TLS; listening: None where the broker itself holds floods back; pages: if
    enabled; permissions: where the PBX says who is multi user aware."""

    settings: BridgeSettings
    pbx: Pbx
    engine: sa.Engine
    store_file: StoreFile
    directory: LiveDirectory
    policy: Policy
    site: SiteLimit
    broker: "EmbeddedBroker | None"
    tls: RenewableTls | None
    certificate: CertificateWatch | None
    inbound: Inbound
    link: Link
    listening: ListeningToEach | None
    pulse: Pulse
    troubles: Troubles
    line_watch: LineWatch
    sightings: Sightings
    health: Health
    journal: Journal
    sessions: Sessions
    deciding: set[tuple[str, str]]
    outbox: Outbox
    publisher: TerminalPublisher
    updates: TerminalUpdates
    requests: RequestDesk
    running_commands: RunningCommands
    checks: Checks
    dispatcher: CommandDispatcher
    telemetry: Telemetry
    router: MessageRouter
    permissions: PermissionFollower | None = None
    pages: "HttpServer | None" = None


def assemble(
    settings: BridgeSettings, pbx: Pbx, engine: sa.Engine, link: Link | None = None, timing: Timing = USUAL,
    clock: HostClock | None = None,
) -> Parts:  # fmt: skip
    """Return the parts of a bridge on an open store; SetupProblem when a setting cannot be used.

    `link` replaces the MQTT connection of the settings, and the broker with it; `clock` replaces the host's.
    """
    clock = clock or HostClock()
    base, phones = settings.broker.base, settings.phones
    directory = LiveDirectory(engine)
    policy = make_policy(phones, settings.policy)
    site = SiteLimit(settings.policy, engine, directory, clock.steady_s)
    is_embedded = link is None and settings.broker.embedded
    tls = RenewableTls(settings.broker) if is_embedded and settings.broker.is_tls else None
    troubles = Troubles(engine)
    line_watch = LineWatch(engine, troubles, clock.steady_s)
    broker = _make_broker(settings.broker, directory, tls, line_watch) if is_embedded else None
    certificate = _make_certificate_watch(settings.broker, broker) if link is None else None
    listening = None
    if link is None and broker is None:
        listening = ListeningToEach(base, messages.topic_of(base, PULSE_NAME, messages.STATE), directory.all_tids)
    inbound = Inbound(base, line_watch.note_excess, on_flood=listening.leave if listening else None)
    link = link or _make_link(settings.broker, broker, listening, inbound)
    pulse = Pulse(link, base, timing.pulse_every_s, timing.pulse_deadline_s)
    sightings = Sightings(engine, broker.address_of if broker is not None else lambda _: None)
    store_file = StoreFile(settings.store.path)
    follower = _make_follower(settings, engine, clock)
    health = Health(pbx, pulse, troubles, certificate=certificate, store_file=store_file, permissions=follower)
    journal = _make_journal(settings, engine, health, store_file)
    sessions = Sessions(phones.ttl_ms)
    deciding: set[tuple[str, str]] = set()
    outbox = Outbox(deciding)
    publisher = TerminalPublisher(link, base, directory, outbox)
    config = make_config(phones, pbx.operations, engine)
    updates = TerminalUpdates(
        directory, sessions, publisher, pbx, policy, config, troubles, sightings, line_watch, clock, timing.resend_s
    )
    requests = RequestDesk(engine, directory, sessions, updates.crash_reports, publisher, lambda: health.is_link_up)
    running_commands = RunningCommands(publisher, journal, outbox, timing.silence_s)
    pbx_requests = PbxRequests(pbx)
    checks = Checks(directory, sessions, policy, site.limits, pbx, pbx_requests, running_commands, clock)
    dispatcher = CommandDispatcher(checks, pbx_requests, journal, running_commands, publisher, deciding)
    telemetry = Telemetry()
    refusals = Refusals(sightings, journal, pbx.remark_on)
    router = MessageRouter(base, directory, updates, dispatcher, journal, telemetry, troubles, sightings, refusals)
    parts = Parts(
        settings, pbx, engine, store_file, directory, policy, site, broker, tls, certificate, inbound, link, listening,
        pulse, troubles, line_watch, sightings, health, journal, sessions, deciding, outbox, publisher, updates,
        requests, running_commands, checks, dispatcher, telemetry, router, follower,
    )  # fmt: skip
    return replace(parts, pages=_make_pages(parts)) if settings.http.enabled else parts


def address_of(settings: BrokerSettings) -> BrokerAddress:
    """Return how to reach the broker of the settings."""
    password = settings.password.get_secret_value()
    make_tls = partial(make_client_context, settings)
    return BrokerAddress(settings.host, settings.port, settings.username, password, settings.keepalive_s, make_tls)


def will_of(base: str) -> Will:
    """Return the bridge's last will: what the broker publishes when the connection breaks."""
    topic = messages.topic_of(base, "", messages.BRIDGE_STATE)
    return Will(topic, messages.encode(messages.BRIDGE_STATE, topic, None, {"state": "offline"}))


def _make_broker(
    settings: BrokerSettings, directory: LiveDirectory, tls: RenewableTls | None, line_watch: LineWatch
) -> "EmbeddedBroker":
    from phoneterm_bridge.broker.embedded import EmbeddedBroker

    context = tls.context if tls else None
    return EmbeddedBroker(settings.host, settings.port, settings.base, directory, context, watch=line_watch)


def _make_follower(settings: BridgeSettings, engine: sa.Engine, clock: HostClock) -> PermissionFollower | None:
    source = make_permission_source(settings)
    if source is None:
        return None
    poll_s, keep_s = settings.voipnow.permissions_poll_s, settings.voipnow.permissions_keep_s
    return PermissionFollower(source, engine, f"host {platform.node()}", poll_s, keep_s, clock.now_s)


def _make_certificate_watch(settings: BrokerSettings, broker: "EmbeddedBroker | None") -> CertificateWatch | None:
    if not settings.is_tls:
        return None
    return CertificateWatch(settings, lambda: broker.port if broker else settings.port)


def _make_link(
    settings: BrokerSettings, broker: "EmbeddedBroker | None", listening: ListeningToEach | None, inbound: Inbound
) -> Link:
    will = will_of(settings.base)
    if broker is not None:  # its address is known once it listens
        return MqttLink(lambda: broker.address, ListeningToAll(settings.base), will, inbound.takes)
    address = address_of(settings)
    address.make_tls()  # unusable files are a problem of the start
    return MqttLink(lambda: address, listening or ListeningToAll(settings.base), will, inbound.takes)


def _make_journal(settings: BridgeSettings, engine: sa.Engine, health: Health, store_file: StoreFile) -> Journal:
    if not settings.http.enabled:
        return Journal(engine, store_file.require, health.on_store_trouble)
    from phoneterm_bridge.web.counted_journal import CountedJournal

    return CountedJournal(engine, health, store_file.require, health.on_store_trouble)


def _make_pages(parts: Parts) -> "HttpServer":
    from phoneterm_bridge.web.counted_journal import CountedJournal
    from phoneterm_bridge.web.figures import Sources
    from phoneterm_bridge.web.joining import make_pages

    assert isinstance(parts.journal, CountedJournal)
    sources = Sources(
        parts.health, parts.journal, parts.router, parts.dispatcher, parts.running_commands, parts.publisher,
        parts.sessions, parts.directory, parts.telemetry, parts.sightings, parts.settings.store.path,
    )  # fmt: skip
    return make_pages(parts.settings.http, sources, parts.pbx.web_hook)
