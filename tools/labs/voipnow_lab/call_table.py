"""The exchange's calls as UnifiedAPI shows them: a PhoneCall with one PhoneCallView for each extension in it.

Does not act on calls. All channels of one family are one call, and its id stays the same when a party is sent on. A
phone outside has no view, because it is no extension. Null fields are left out, and dates have an offset.
"""

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from pbx_simulator.exchange import Exchange
from pbx_simulator.parties import Channel, Pairs

from voipnow_lab.shapes import Shapes

ORGANIZATION = "0003"
OWNER_ID = "12"
GIVEN_CALLER_ID = "given caller id"  # a channel's variable: what whoever made its call wants its phone to display
_OFFSET = timezone(timedelta(hours=3))
_LOCAL, _OUT, _IN = 2, 4, 8
_TRYING, _RINGING, _FAR_RINGING, _ON_CALL = 2, 3, 4, 5
_TRUNK = "trunk"


class CallTable:
    """The calls of one exchange at this moment."""

    def __init__(self, exchange: Exchange, shapes: Shapes) -> None:
        """Note nothing yet; `on_event` gets every event of the exchange."""
        self._exchange = exchange
        self._shapes = shapes
        self._dates: dict[tuple[str, str], str] = {}

    def on_event(self, name: str, pairs: Pairs) -> None:
        """Note when something happened."""
        fields = dict(pairs)
        who = fields.get("Uniqueid", "")
        if name == "Newchannel":
            self._note(who, "published")
        elif name == "Newstate" and fields["ChannelStateDesc"] in ("Ringing", "Up"):
            self._note(who, "ringing" if fields["ChannelStateDesc"] == "Ringing" else "answered")
        elif name == "MusicOnHoldStart":
            self._note(who, "onHold")
        elif name == "MusicOnHoldStop":
            self._dates.pop((who, "onHold"), None)

    def calls(self, extension: str) -> list[dict[str, Any]]:
        """Return the calls with a view of this extension, or all calls for "@self", oldest first."""
        found = []
        for call_id in self._families():
            call = self.call(call_id, extension)
            if call["phoneCallView"] and (extension == "@self" or self.channel(call_id, extension) is not None):
                found.append(call)
        return found

    def call(self, call_id: str, extension: str) -> dict[str, Any]:
        """Return one call as it is shown to somebody who asked for this extension."""
        channels = self._families()[call_id]
        shown = [one for one in channels if one.endpoint not in ("", _TRUNK)]
        if not self._shapes.has_other_views and extension != "@self":
            shown = [one for one in shown if extended(one.endpoint) == extension]
        first = min(channels, key=lambda channel: channel.born)
        return _without_nulls(
            {
                "id": call_id,
                "extension": extended(shown[0].endpoint) if shown else None,
                "ownerId": OWNER_ID,
                "published": self._dates.get((first.uniqueid, "published")),
                "answered": self._dates.get((first.uniqueid, "answered")),
                "phoneCallView": [self._view(one, channels, f"{at:02}") for at, one in enumerate(shown, 1)],
            }
        )

    def id_of(self, channel: Channel) -> str:
        """Return the id of the call that a channel is in."""
        return _call_id_of(channel.linkedid)

    def channel(self, call_id: str, extension: str) -> Channel | None:
        """Return the channel of an extension in a call."""
        channels = self._families().get(call_id, [])
        return next((one for one in channels if one.endpoint and extended(one.endpoint) == extension), None)

    def channel_of_view(self, call_id: str, view_id: str) -> Channel | None:
        """Return the channel that a view shows."""
        channels = [one for one in self._families().get(call_id, []) if one.endpoint not in ("", _TRUNK)]
        return next((one for at, one in enumerate(channels, 1) if f"{at:02}" == view_id), None)

    def _families(self) -> dict[str, list[Channel]]:
        families: dict[str, list[Channel]] = {}
        for channel in self._exchange.parties.channels:
            families.setdefault(_call_id_of(channel.linkedid), []).append(channel)
        return families

    def _view(self, channel: Channel, channels: list[Channel], view_id: str) -> dict[str, Any]:
        calls_out = channel.application != "AppDial"
        own = extended(channel.endpoint)
        other = _other(channel, channels)
        if calls_out:
            source, destination = own, extended(channel.extension)
        else:
            source, destination = extended(other.number if _is_outside(other) else other.endpoint), own
        is_outside = other is not channel and _is_outside(other)
        is_held_here = channel.bridge is not None and other.hears_music
        is_held_there = channel.bridge is not None and channel.hears_music
        on_hold = self._dates.get(((other if is_held_here else channel).uniqueid, "onHold"))
        return _without_nulls(
            {
                "id": view_id,
                "extension": own,
                "source": [source],
                "destination": [destination],
                "flow": (_OUT if calls_out else _IN) if is_outside else _LOCAL,
                "status": _status_of(channel, channels),
                "ringing": self._dates.get((channel.uniqueid, "ringing")),
                "answered": self._dates.get((channel.uniqueid, "answered")),
                "onHold": on_hold if is_held_here or is_held_there else None,
                "holder": 1 if is_held_here and self._shapes.has_holder else None,
                self._shapes.caller_id: self._caller_id(channel, other),
            }
        )

    def _caller_id(self, channel: Channel, other: Channel) -> str | None:
        given = channel.variables.get(GIVEN_CALLER_ID)
        if given and self._shapes.shows_given_caller_id:
            return given
        return f"Somebody <{other.number}>" if other.number else None

    def _note(self, who: str, what: str) -> None:
        self._dates.setdefault((who, what), datetime.now(UTC).astimezone(_OFFSET).isoformat(timespec="seconds"))


def extended(number: str) -> str:
    """Return an extension's number as VoipNow writes it, 0003*101; any other number as it is."""
    return f"{ORGANIZATION}*{number}" if len(number) == 3 and number.isdecimal() and number[0] == "1" else number


def short(number: str) -> str:
    """Return a number of this organization as its own phones dial it."""
    return number.removeprefix(f"{ORGANIZATION}*")


def _other(channel: Channel, channels: list[Channel]) -> Channel:
    """Return whom a channel is connected with, else who calls it or is called; else itself."""
    phones = [one for one in channels if one.endpoint and one is not channel]
    beside = [one for one in phones if one.bridge is not None and one.bridge is channel.bridge]
    across = [one for one in phones if (one.application == "AppDial") != (channel.application == "AppDial")]
    return (beside or across or phones or [channel])[0]


def _status_of(channel: Channel, channels: list[Channel]) -> int:
    if channel.state == "Ringing":
        return _RINGING
    rings = any(one.state == "Ringing" for one in channels if one is not channel)
    if channel.state != "Up" or (channel.bridge is None and channel.application == "Dial"):
        return _FAR_RINGING if rings else _TRYING
    return _ON_CALL


def _is_outside(channel: Channel) -> bool:
    return channel.endpoint == _TRUNK


def _call_id_of(family: str) -> str:
    return hashlib.sha256(family.encode()).hexdigest()[:20]


def _without_nulls(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
