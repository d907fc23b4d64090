"""Asterisk's channels and bridges as its events report them, and the facts of a leg that follow from them.

Does no input or output, starts no transfer, and leaves it to `pbx/calls.py` what a leg is to its user. Events must be
applied in the order they came; a list of channels (`load`) replaces everything known. Channels are keyed by Uniqueid,
because names change and are reused.
Times are `time.monotonic()` seconds. Source: events of Asterisk 22, recorded in the lab.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.asterisk.channel_name import dialled_of, endpoint_of
from phoneterm_bridge.pbx.calls import LegFacts, state_of
from phoneterm_bridge.pbx.port import Call

MOST_ENDED = 1000

_CONFERENCES = ("ConfBridge", "Page")  # Asterisk's applications; both make a bridge of the first one
_REF = re.compile(r"[0-9A-Za-z._-]{1,24}")


@dataclass(eq=False)
class Leg:
    """One channel. state is Asterisk's ("Down", "Ring", "Ringing", "Up"); bridge is "" when it is in none.

    is_dialling: a Dial is going on from it (is_caller) or to it. has_application: it had one when the channels were
    listed; what Dial or Queue calls has one, too, but not what Asterisk calls for a transfer. has_hung_up: its phone
    has hung up, although Asterisk may keep the channel for a while. number: its own; peer: the other party's, as
    Asterisk shows it; dialled: the number by which its user reached whoever is at the other end, if known. family: the
    Linkedid, the same for all legs of one conversation. born: when it was made, at most a second too early.
    transfer_ended_at: the end of its last attended transfer. is_in_conference: its bridge is one.
    """

    uniqueid: str
    channel: str
    state: str
    number: str = ""
    family: str = ""
    peer: str = ""
    bridge: str = ""
    dialled: str = ""
    is_caller: bool = False
    is_dialling: bool = False
    has_application: bool = False
    is_on_hold: bool = False
    has_hung_up: bool = False
    is_in_conference: bool = False
    talking_since: float | None = None
    born: float = 0.0
    transfer_ended_at: float = float("-inf")
    endpoint: str = field(init=False)
    ref: str = field(init=False)

    def __post_init__(self) -> None:
        """Derive the fixed values: the channel's endpoint, and the call reference."""
        self.endpoint = endpoint_of(self.channel)
        self.ref = ref_of(self.uniqueid)

    @property
    def is_up(self) -> bool:
        """Say whether Asterisk has a conversation or an application on it."""
        return self.state == "Up"

    @property
    def is_there(self) -> bool:
        """Say whether its phone has not hung up."""
        return not self.has_hung_up

    def take_headers(self, message: Message) -> None:
        """Copy the headers that most events have about a channel."""
        self.family = message.get("Linkedid", self.family)
        self.number = number_in(message, "CallerIDNum", self.number)
        self.peer = number_in(message, "ConnectedLineNum", self.peer)


class CallTable:
    """All legs, by Uniqueid."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start empty; `clock` gives the start time of a conversation."""
        self._clock = clock
        self._legs: dict[str, Leg] = {}
        # The same legs, oldest first, indexed by the keys that every event looks up.
        self._by_ref: dict[str, list[Leg]] = {}
        self._by_endpoint: dict[str, list[Leg]] = {}
        self._by_bridge: dict[str, list[Leg]] = {}
        self._ended: OrderedDict[str, str] = OrderedDict()

    def load(self, channels: Iterable[Message]) -> None:
        """Replace everything by the answer to CoreShowChannels. Every conversation counts as starting now.

        A channel that is just changing may be listed twice (seen with Asterisk 22): it is one leg.
        """
        known = self._legs
        self._legs, self._by_ref, self._by_endpoint, self._by_bridge = {}, {}, {}, {}
        for item in {item.get("Uniqueid"): item for item in channels}.values():
            leg = Leg(item.get("Uniqueid"), item.get("Channel"), item.get("ChannelStateDesc"))
            leg.take_headers(item)
            leg.has_application = item.get("Application") != ""
            leg.is_caller = item.get("Application") == "Dial"
            leg.is_in_conference = item.get("Application") in _CONFERENCES
            leg.dialled = item.get("Exten") if leg.is_caller else ""
            leg.is_dialling = item.get("Application") in ("Dial", "AppDial") and item.get("BridgeId") == ""
            leg.born = self._clock() - _seconds_in(item.get("Duration")) - 1.0
            earlier = known.get(leg.uniqueid)
            if earlier is not None:
                leg.talking_since, leg.is_on_hold = earlier.talking_since, earlier.is_on_hold
            self._add(leg)
            self._move(leg, item.get("BridgeId"))
        for leg in self._legs.values():
            self._date_conversation(leg.bridge)

    def apply(self, event: Message) -> None:
        """Take in one event; events that say nothing about legs are ignored."""
        name = event.get("Event")
        if name == "Newchannel":
            new = Leg(event.get("Uniqueid"), event.get("Channel"), event.get("ChannelStateDesc"))
            new.is_caller = new.state == "Ring"
            new.dialled = event.get("Exten") if new.is_caller else ""
            new.born = self._clock()
            if new.uniqueid not in self._legs:
                self._add(new)
        leg = self._legs.get(event.get("Uniqueid"))
        if leg is not None:
            self._apply_to(leg, name, event)
        self._forget_dialled(name, event)
        if name in ("DialBegin", "DialEnd"):
            for party in (leg, self._legs.get(event.get("DestUniqueid"))):
                if party is not None:
                    party.is_dialling = name == "DialBegin" or event.get("DialStatus") == "ANSWER"

    def _forget_dialled(self, name: str, event: Message) -> None:
        """Somebody else than was dialled is at the other end: there was a transfer, or the call was picked up."""
        if name == "BlindTransfer" and event.get("Result") == "Success":
            moved = self._legs.get(event.get("TransfereeUniqueid"))
            if moved is not None:
                moved.dialled = event.get("Extension")
        elif name == "AttendedTransfer" and event.get("Result") == "Success" and event.get("DestType") != "Threeway":
            for key in ("TransfereeUniqueid", "TransferTargetUniqueid"):
                if (moved := self._legs.get(event.get(key))) is not None:
                    moved.dialled = ""
        elif name == "Pickup":
            rung = self._legs.get(event.get("TargetUniqueid"))
            for leg in self._legs.values():
                if rung is not None and leg.is_dialling and leg.is_caller and leg.family == rung.family:
                    leg.dialled = ""

    def _apply_to(self, leg: Leg, name: str, event: Message) -> None:
        if name == "Newstate":
            leg.state = event.get("ChannelStateDesc")
        elif name == "Rename":
            leg.channel = event.get("Newname")
        elif name in ("Hold", "Unhold"):
            leg.is_on_hold = name == "Hold"
        elif name == "BridgeEnter":
            self._move(leg, event.get("BridgeUniqueid"))
            leg.is_in_conference = event.get("BridgeCreator") == _CONFERENCES[0]
            leg.is_dialling = False
            self._date_conversation(leg.bridge)
        elif name == "BridgeLeave" and leg.bridge == event.get("BridgeUniqueid"):
            self._move(leg, "")
            leg.is_in_conference = False
        elif name == "HangupRequest":
            leg.has_hung_up = True
            self._remember_end(leg)
        elif name == "Hangup":
            self._remember_end(leg)
            self._remove(leg)
            return
        leg.take_headers(event)

    def leg(self, uniqueid: str) -> Leg | None:
        """Return the leg with this Uniqueid, or None."""
        return self._legs.get(uniqueid)

    def leg_of(self, ref: str) -> Leg | None:
        """Return the leg with this call reference whose phone has not hung up, or None."""
        return next((leg for leg in self._by_ref.get(ref, ()) if leg.is_there), None)

    def legs_of(self, endpoint: str) -> list[Leg]:
        """Return the endpoint's legs whose phone has not hung up, oldest first."""
        return [leg for leg in self._by_endpoint.get(endpoint, ()) if leg.is_there]

    def members(self, bridge: str) -> list[Leg]:
        """Return the legs in a bridge."""
        return list(self._by_bridge.get(bridge, ())) if bridge else []

    def others(self, leg: Leg) -> list[Leg]:
        """Return the legs that share the leg's bridge."""
        return [other for other in self._by_bridge.get(leg.bridge, ()) if other is not leg]

    def waits_alone(self, leg: Leg) -> bool:
        """Say whether the leg is up in a bridge that it shares with nobody."""
        return leg.is_up and leg.bridge != "" and not self.others(leg)

    def everybody(self) -> list[Leg]:
        """Return all legs."""
        return list(self._legs.values())

    def why_ended(self, ref: str) -> str:
        """Return the wire reason for a call that no longer exists: "caller-gone" when the other side left first."""
        return self._ended.get(ref, "no-call")

    def facts(self, leg: Leg, is_in_transfer: bool = False) -> LegFacts:
        """Return what Asterisk tells of the leg; `is_in_transfer` is known to whoever follows its transfer."""
        return LegFacts(
            calls_out=leg.is_caller,
            is_answered=leg.is_up and not leg.is_dialling,
            is_joined=leg.bridge != "" and not leg.is_in_conference,
            has_company=bool(self.others(leg)),
            has_talked=leg.talking_since is not None,
            is_on_hold=leg.is_on_hold,
            is_in_transfer=is_in_transfer,
        )

    def call(self, leg: Leg, is_in_transfer: bool = False) -> Call:
        """Return the leg as the bridge sees it."""
        others = self.others(leg)
        peer = others[0].number if len(others) == 1 and others[0].endpoint else leg.peer
        lines = frozenset({other.endpoint or dialled_of(other.channel) for other in others} | {leg.dialled})
        state = state_of(self.facts(leg, is_in_transfer))
        return Call(leg.ref, leg.endpoint, state, leg.talking_since, peer, lines - {""}, leg.is_in_conference)

    def _add(self, leg: Leg) -> None:
        self._legs[leg.uniqueid] = leg
        self._by_ref.setdefault(leg.ref, []).append(leg)
        self._by_endpoint.setdefault(leg.endpoint, []).append(leg)

    def _move(self, leg: Leg, bridge: str) -> None:
        """Put a leg into a bridge ("" for none), out of the one it is in."""
        _take_out(self._by_bridge, leg.bridge, leg)
        leg.bridge = bridge
        if bridge:
            self._by_bridge.setdefault(bridge, []).append(leg)

    def _remove(self, leg: Leg) -> None:
        self._move(leg, "")
        _take_out(self._by_ref, leg.ref, leg)
        _take_out(self._by_endpoint, leg.endpoint, leg)
        del self._legs[leg.uniqueid]

    def _date_conversation(self, bridge: str) -> None:
        members = self.members(bridge)
        if len(members) > 1:
            for leg in members:
                leg.talking_since = leg.talking_since or self._clock()

    def _remember_end(self, leg: Leg) -> None:
        """Note who left a conversation first."""
        if leg.ref in self._ended:
            return
        self._ended[leg.ref] = "no-call"
        for other in self.others(leg):
            self._ended.setdefault(other.ref, "caller-gone")
        while len(self._ended) > MOST_ENDED:
            self._ended.popitem(last=False)


def _take_out(index: dict[str, list[Leg]], key: str, leg: Leg) -> None:
    """Remove a leg from the list under a key, if it is there, and remove the list when it is empty."""
    legs = index.get(key, [])
    if leg in legs:
        legs.remove(leg)
        if not legs:
            del index[key]


def ref_of(uniqueid: str) -> str:
    """Return the call reference of a channel: stable over a restart of the bridge, and valid on the wire."""
    if _REF.fullmatch(uniqueid):
        return uniqueid
    return hashlib.sha256(uniqueid.encode()).hexdigest()[:24]


def _seconds_in(duration: str) -> float:
    """Return the seconds of a duration as Asterisk lists it, such as 01:02:03; 0 for anything else."""
    parts = duration.split(":")
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() for part in parts):
        return 0.0
    hours, minutes, seconds = map(float, parts)
    return hours * 3600 + minutes * 60 + seconds


def number_in(message: Message, key: str, otherwise: str) -> str:
    """Return a number of an event, or `otherwise` when it has no such header; Asterisk writes "<unknown>" for none."""
    number = message.get(key, otherwise)
    return "" if number == "<unknown>" else number
