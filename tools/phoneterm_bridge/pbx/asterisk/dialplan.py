"""What a number leads to, read from Asterisk's dialplan. Does not judge who may be sent there.

`ShowDialPlan` lists the lines of a context and of those it includes that fit a number; the first entry answers it. Its
context and applications say what it is. Wherever it may go on to is followed (`dialplan_leads`), and the strictest of
all that is found counts. Of a fixed number that it only may come to (a branch, a Dial, what follows when nobody
answers), only the dangers count: that it is outside was decided by whoever set it up, not by the user. What needs
variables of a call stays unseen: then the number counts as inside, and its digits decide. An answer is remembered for a
second, like the existence of a number, so that a reloaded dialplan counts at once; it needs no further right (class
reporting). Source: what FreePBX generates, and Asterisk's main/pbx.c, tried on 22.
"""

import re
from collections.abc import Callable
from typing import Protocol

from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.ami.connection import Headers, NotConnected, OutcomeUnknown
from phoneterm_bridge.pbx.ami.refused import AmiRefused
from phoneterm_bridge.pbx.asterisk.dialplan_leads import Lead, applications_in, leads_of
from phoneterm_bridge.pbx.port import DANGERS, Destination

_KNOWN_FOR_S = 1.0
_NO_CONTEXT = "Did not find context"
_MOST_KNOWN = 1000
_MOST_LOOKS = 12  # of one number: more places than that are no way that somebody set up
_APPLICATIONS = {
    "chanspy": "spy", "extenspy": "spy", "dahdibarge": "barge", "zapbarge": "barge", "disa": "disa",
    "voicemailmain": "mailbox", "agentlogin": "login", "pickup": "pickup", "pickupchan": "pickup",
    "addqueuemember": "settings", "removequeuemember": "settings", "pausequeuemember": "settings",
    "unpausequeuemember": "settings",
}  # fmt: skip
_CONTEXTS = {
    "app-chanspy": "spy", "app-zapbarge": "barge", "disa": "disa", "app-vmmain": "mailbox", "app-dialvm": "mailbox",
    "app-userlogonoff": "login", "bad-number": "nowhere",
}  # fmt: skip
_SETTINGS = re.compile(r"app-(cf|callwaiting|dnd|fmf|daynight|blacklist|queue-toggle)(-|$)")  # contexts of FreePBX
_STORES = re.compile(r"DB\((CF|CFB|CFU|CW|DND|DAYNIGHT)/")
_CALLS = ("dial", "queue", "gosub", "macro", "goto", "page")
_BARGES = re.compile(r",[^,]*[Bw]")  # the options of ChanSpy that let the spy be heard
_TRUNK = re.compile(r"(PJSIP|SIP|IAX2|DAHDI)/(?!.*sip:)[^&,]*[@/]", re.IGNORECASE)
_ADDRESS = re.compile(r"PJSIP/([^&,/]+)/sips?:", re.IGNORECASE)  # an endpoint, and what to send to it
_STRICTEST_FIRST = ("spy", "barge", "disa", "mailbox", "login", "settings", "pickup", "outside", "nowhere", "inside")


class Login(Protocol):
    """A login that can ask Asterisk for lists: the bridge's permanent one, or the doctor's own."""

    async def ask_list(self, action: str, headers: Headers = ()) -> list[Message]:
        """Send one action that answers with a list and return the list."""


class Dialplan:
    """The dialplan of one Asterisk, at most a second old. clock: monotonic seconds."""

    def __init__(self, client: Login, clock: Callable[[], float]) -> None:
        """Nothing is known yet."""
        self._client = client
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, Destination]] = {}
        self._missing: set[str] = set()  # the contexts that it did not have when it was asked last

    async def find(self, context: str, number: str) -> Destination | None:
        """Return what a number leads to; None where the dialplan has no lines for it, or Asterisk did not answer."""
        until, known = self._known.get((context, number), (0.0, None))
        if known is not None and self._clock() < until:
            return known
        try:
            found = await self._follow(context, number)
        except (NotConnected, OutcomeUnknown):
            return None
        if found is not None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[context, number] = (self._clock() + _KNOWN_FOR_S, found)
        return found

    def lacks(self, context: str) -> bool:
        """Say whether there was no such context when `find` last asked for one of its numbers."""
        return context in self._missing

    def forget(self) -> None:
        """Forget everything: the connection was lost, and the dialplan may have changed."""
        self._known.clear()

    async def _follow(self, context: str, number: str) -> Destination | None:
        """Return the strictest of what the entry is and of what it may lead to."""
        found: list[Destination] = []
        places, seen = [Lead(context, number, is_certain=True, is_users=True)], {(context, number)}
        while places and len(seen) <= _MOST_LOOKS:
            place = places.pop(0)
            entry = await self._entry(place.context, place.number)
            if not entry:
                continue
            destination = classify(entry)
            if place.is_certain or destination.kind in DANGERS or (place.is_users and destination.kind == "outside"):
                found.append(destination)
            if destination.kind == "inside":
                for lead in leads_of(entry, place.number):
                    if lead[:2] not in seen:
                        seen.add(lead[:2])
                        is_certain, is_users = place.is_certain and lead.is_certain, place.is_users and lead.is_users
                        places.append(lead._replace(is_certain=is_certain, is_users=is_users))
        return min(found, key=lambda one: _STRICTEST_FIRST.index(one.kind), default=None)

    async def _entry(self, context: str, number: str) -> list[Message]:
        self._missing.discard(context)
        try:
            return entry_of(await self._client.ask_list("ShowDialPlan", [("Context", context), ("Extension", number)]))
        except AmiRefused as error:  # there is no such context or number
            if error.answer.get("Message").startswith(_NO_CONTEXT):
                self._missing.add(context)
            return []


def entry_of(lines: list[Message]) -> list[Message]:
    """Return the lines of the entry that answers: the first one with a priority 1."""
    first = next((line for line in lines if line.get("Priority") == "1"), None)
    if first is None:
        return []
    place = (first.get("Context"), first.get("Extension"))
    return [line for line in lines if (line.get("Context"), line.get("Extension")) == place]


def classify(entry: list[Message]) -> Destination:
    """Return what an entry is, by its context and its applications; the strictest counts."""
    context, number = entry[0].get("Context"), entry[0].get("Extension")
    kinds = {_CONTEXTS.get(context, "inside"), "outside" if context.startswith("outrt-") else "inside"}
    applications = [one for line in entry for one in applications_in(line)]
    kinds.update(_kind_of(name, data, number) for name, data in applications)
    kinds.add("settings" if _SETTINGS.match(context) else "inside")
    calls = any(name in _CALLS for name, _ in applications)
    if not calls and any("cannot-complete" in data for _, data in applications):
        kinds.add("nowhere")
    return Destination(min(kinds, key=_STRICTEST_FIRST.index), context)


def _kind_of(application: str, data: str, number: str) -> str:
    if application == "chanspy" and _BARGES.search(data):
        return "barge"
    if application == "dial" and any(_is_trunk(one, number) for one in data.partition(",")[0].split("&")):
        return "outside"
    if application == "set" and _STORES.match(data):
        return "settings"
    if application in ("gosub", "macro"):
        return "outside" if "dialout-trunk" in data else _CONTEXTS.get(data.partition(",")[0], "inside")
    return _APPLICATIONS.get(application, "inside")


def _is_trunk(dialled: str, number: str) -> bool:
    """Say whether a channel to dial is a trunk's, and not the place of the number's own phone."""
    address = _ADDRESS.match(dialled)
    return address[1] not in (number, "${EXTEN}") if address else _TRUNK.match(dialled) is not None
