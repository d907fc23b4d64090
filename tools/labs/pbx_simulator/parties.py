"""The simulator's channels and bridges, and the AMI events of their changes.

Does not know who calls whom; `exchange` does. Events and their headers are those of Asterisk 22 as recorded in the
lab, as far as a bridge service reads them. Uniqueids are the start time and a rising number, as in Asterisk.
"""

import itertools
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

Pairs = list[tuple[str, str]]

STATES = {"Down": "0", "Ring": "4", "Ringing": "5", "Up": "6", "Busy": "7"}
CAUSES = {"0": "Unknown", "3": "No route to destination", "16": "Normal Clearing", "17": "User busy",
          "19": "User alerting, no answer", "21": "Call Rejected", "26": "Answered elsewhere"}  # fmt: skip


@dataclass(eq=False)
class Bridge:
    """A bridge; `members` are in the order they came. is_conference: it is for any number of them."""

    uniqueid: str = field(default_factory=lambda: str(uuid.uuid4()))
    members: list["Channel"] = field(default_factory=list)
    is_conference: bool = False
    is_holding: bool = False  # everybody in it waits, and nobody hears anybody


@dataclass(eq=False)
class Channel:
    """A channel. endpoint is "" for half of a Local channel, whose `other_half` is the other one.

    start_code: the feature code that starts an attended transfer, since it came into its bridge.
    """

    name: str
    uniqueid: str
    linkedid: str
    state: str
    number: str
    extension: str
    endpoint: str = ""
    context: str = ""
    connected: str = ""
    application: str = ""
    application_data: str = ""
    bridge: Bridge | None = None
    other_half: "Channel | None" = None
    variables: dict[str, str] = field(default_factory=dict)
    is_gone: bool = False
    start_code: str = ""
    hears_music: bool = False
    born: float = field(default_factory=time.monotonic)

    def headers(self, prefix: str = "") -> Pairs:
        """Return the headers that describe this channel in an event."""
        values = [
            ("Channel", self.name),
            ("ChannelState", STATES[self.state]),
            ("ChannelStateDesc", self.state),
            ("CallerIDNum", self.number or "<unknown>"),
            ("CallerIDName", "<unknown>"),
            ("ConnectedLineNum", self.connected or "<unknown>"),
            ("ConnectedLineName", "<unknown>"),
            ("Context", self.context),
            ("Exten", self.extension),
            ("Uniqueid", self.uniqueid),
            ("Linkedid", self.linkedid),
        ]
        return [(prefix + key, value) for key, value in values]


class Parties:
    """All channels and bridges of one simulated PBX; `emit` is called with every event."""

    def __init__(self, emit: Callable[[str, Pairs], None], on_enter: Callable[[Channel], None], context: str) -> None:
        """Start empty. on_enter: called with each channel that comes into a bridge; context: where every channel is."""
        self._context = context
        self.channels: list[Channel] = []
        self.emit = emit
        self._on_enter = on_enter
        self._started = int(time.time())
        self._numbers = itertools.count()
        self._names = itertools.count()

    def by_name(self, name: str) -> Channel | None:
        """Return the channel with this name, or None."""
        return next((channel for channel in self.channels if channel.name == name), None)

    def add_phone(self, endpoint: str, number: str, extension: str, state: str, family: str = "") -> Channel:
        """Make a phone's channel; family: the Linkedid of the call it belongs to."""
        return self._add(f"PJSIP/{endpoint}-{next(self._names):08x}", number, extension, state, family, endpoint)

    def add_local(self, extension: str, number: str, family: str, context: str = "") -> Channel:
        """Make a Local channel to an extension (of the usual context, unless named) and return its half 1."""
        base = f"Local/{extension}@{context or self._context}-{next(self._names):08x}"
        first = self._add(base + ";1", extension, extension, "Down", family, "")
        second = self._add(base + ";2", number, extension, "Ring", family, "")
        first.other_half, second.other_half = second, first
        first.connected = number
        return first

    def set_state(self, channel: Channel, state: str) -> None:
        """Change a channel's state."""
        if channel.state != state and not channel.is_gone:
            channel.state = state
            self.emit("Newstate", channel.headers())

    def connect_line(self, channel: Channel, number: str) -> None:
        """Tell a channel whom it is connected to."""
        if channel.connected != number:
            channel.connected = number
            self.emit("NewConnectedLine", channel.headers())

    def new_bridge(self, is_conference: bool = False, is_holding: bool = False) -> Bridge:
        """Make an empty bridge."""
        bridge = Bridge(is_conference=is_conference, is_holding=is_holding)
        self.emit("BridgeCreate", _bridge_headers(bridge))
        return bridge

    def enter(self, channel: Channel, bridge: Bridge) -> None:
        """Move a channel into a bridge, out of its present one."""
        self.leave(channel)
        channel.bridge = bridge
        bridge.members.append(channel)
        self._on_enter(channel)
        self.emit("BridgeEnter", [*_bridge_headers(bridge), *channel.headers()])

    def leave(self, channel: Channel) -> None:
        """Remove a channel from its bridge; the bridge stays, even empty."""
        bridge = channel.bridge
        if bridge is not None:
            channel.bridge = None
            bridge.members.remove(channel)
            self.emit("BridgeLeave", [*_bridge_headers(bridge), *channel.headers()])

    def destroy(self, bridge: Bridge) -> None:
        """Destroy an empty bridge."""
        self.emit("BridgeDestroy", _bridge_headers(bridge))

    def play_music(self, channel: Channel, is_on: bool) -> None:
        """Start or stop hold music for a channel."""
        if channel.hears_music != is_on:
            channel.hears_music = is_on
            self.emit("MusicOnHoldStart" if is_on else "MusicOnHoldStop", channel.headers())

    def dialled(self, event: str, caller: Channel | None, callee: Channel, status: str = "") -> None:
        """Raise DialBegin, DialState or DialEnd."""
        pairs = [*(caller.headers() if caller else []), *callee.headers("Dest")]
        self.emit(event, [*pairs, ("DialStatus", status)] if status else pairs)

    def remove(self, channel: Channel, cause: str) -> None:
        """End a channel, and remove it from its bridge."""
        self.leave(channel)
        if not channel.is_gone:
            channel.is_gone = True
            self.channels.remove(channel)
            ending = [("Cause", cause), ("Cause-txt", CAUSES.get(cause, "Unknown"))]
            self.emit("Hangup", [*channel.headers(), *ending])

    def _add(self, name: str, number: str, extension: str, state: str, family: str, endpoint: str) -> Channel:
        uniqueid = f"{self._started}.{next(self._numbers)}"
        channel = Channel(name, uniqueid, family or uniqueid, state, number, extension, endpoint, self._context)
        self.channels.append(channel)
        self.emit("Newchannel", channel.headers())
        return channel


def _bridge_headers(bridge: Bridge) -> Pairs:
    return [
        ("BridgeUniqueid", bridge.uniqueid),
        ("BridgeType", "base" if bridge.is_conference or bridge.is_holding else "basic"),
        ("BridgeTechnology", _technology_of(bridge)),
        ("BridgeCreator", "ConfBridge" if bridge.is_conference else "<unknown>"),
        ("BridgeNumChannels", str(len(bridge.members))),
    ]


def _technology_of(bridge: Bridge) -> str:
    if bridge.is_holding:
        return "holding_bridge"
    return "softmix" if bridge.is_conference else "simple_bridge"
