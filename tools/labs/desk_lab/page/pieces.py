"""Makes the pieces of the page out of what the desk shows: the display, the calls, the lines of what has happened.

Does not decide when; `live_desk` does. Each piece has the id that it has on the page.
"""

import time
from typing import NamedTuple

import jinja2
from pbx_lab.lab import BEHAVIOURS, ENDPOINTS, TRUNK

from desk_lab import words
from desk_lab.call_picture import ON_HOLD, RINGS, TALKS, WAITS, Call, Party
from desk_lab.desk import Desk, Line
from desk_lab.installation import CALLER, EXTENSION
from desk_lab.phone_view import LEGENDS

_COLOURS = 6  # of calls, in desk.css


class CallOfParty(NamedTuple):
    """A call as one party has it."""

    name: str
    colour: int
    words: str


class PartyCard(NamedTuple):
    """One phone, with its calls and what it can do. to_call: the number that its button calls."""

    endpoint: str
    who: str
    calls: tuple[CallOfParty, ...]
    state: str
    to_call: str
    can_answer: bool
    can_hang_up: bool
    can_hold: bool
    can_take_back: bool
    behaviour: str | None


class Pieces:
    """The pieces of one desk's page."""

    def __init__(self, desk: Desk, templates: jinja2.Environment) -> None:
        self._desk = desk
        self._templates = templates

    def values(self) -> dict:
        """Return what the whole page is made of."""
        phone = self._desk.phone
        return {
            "phone": phone,
            "signal": words.describe_signal(phone.signal),
            "keys": [(legend, words.KEYS.get(legend, "")) for legend in LEGENDS],
            "cards": self._cards(),
            "cords": self._cords(),
            "behaviours": [(one, words.BEHAVIOURS[one]) for one in BEHAVIOURS],
            "is_lifted": self._desk.picture.is_up(EXTENSION),
            "is_ringing": any(party.state == RINGS for _, party in self._desk.picture.of(EXTENSION)),
            "is_allowed": self._desk.is_allowed,
            "can_consult": self._desk.can_consult,
            "is_composed": self._desk.is_composed,
            "lines": [self.line(line) for line in reversed(self._desk.lines)],
        }

    def display(self) -> str:
        """Return the display."""
        return self._render("display.html")

    def strip(self) -> str:
        """Return the calls in one line."""
        return self._render("strip.html")

    def receiver(self) -> str:
        """Return the receiver."""
        return self._render("receiver.html")

    def calls(self) -> str:
        """Return the calls, with everybody who can be in one."""
        return self._render("calls.html")

    def permission(self) -> str:
        """Return the permission."""
        return self._render("permission.html")

    def line(self, line: Line) -> str:
        """Return a line of what has happened."""
        at = time.strftime("%H:%M:%S", time.localtime(line.at_s))
        text = words.describe_signal(line.text) if line.source == "phone" else line.text.replace("none", "no call")
        return self._templates.get_template("line.html").render(line=line, at=at, text=text)

    def _render(self, name: str) -> str:
        return self._templates.get_template(name).render(self.values())

    def _cards(self) -> list[PartyCard]:
        picture = self._desk.picture
        outside = (TRUNK,) if picture.of(TRUNK) else ()
        return [self._card(endpoint) for endpoint in (*ENDPOINTS, *outside)]

    def _card(self, endpoint: str) -> PartyCard:
        calls = self._desk.picture.of(endpoint)
        states = {party.state for _, party in calls}
        others = {other.state for call, _ in calls for other in call.parties if other.endpoint != endpoint}
        return PartyCard(
            endpoint,
            words.WHO[endpoint],
            tuple(
                CallOfParty(call.name, _colour_of(call), words.describe(self._desk.picture, call, party))
                for call, party in calls
            ),
            next((state for state in (RINGS, TALKS, ON_HOLD, WAITS) if state in states), next(iter(states), "idle")),
            CALLER if endpoint == EXTENSION else EXTENSION,
            RINGS in states,
            bool(states - {RINGS}),
            TALKS in states and ON_HOLD not in others,
            TALKS in states and ON_HOLD in others,
            self._desk.behaviours.get(endpoint),
        )

    def _call_of(self, call: Call, party: Party) -> CallOfParty:
        return CallOfParty(call.name, _colour_of(call), words.describe(self._desk.picture, call, party))

    def _cords(self) -> list[dict]:
        """Return the calls for the lines that the page draws between the phones."""
        return [
            {
                "name": call.name,
                "colour": _colour_of(call),
                "parties": [{"endpoint": party.endpoint, "state": party.state} for party in call.parties],
                "held_by": list(call.held_by),
                "who": "–".join(words.name_of(party.endpoint) for party in call.parties),
                "words": words.sum_up(call),
            }
            for call in self._desk.picture.calls
        ]


def _colour_of(call: Call) -> int:
    return (ord(call.name) - ord("A")) % _COLOURS
