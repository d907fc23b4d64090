"""What a number leads to, read from Asterisk's dialplan. Does not judge who may be sent there.

`ShowDialPlan` lists the lines of a context and of those it includes that fit a number; the first entry answers it. Its
context and applications say what it is; a plain Goto is followed. What needs variables of a call stays unseen: then the
number counts as inside, and its digits decide. An answer is remembered for a second, like the existence of a number, so
that a reloaded dialplan counts at once; it needs no further right (class reporting). Source: what FreePBX generates,
and Asterisk's main/pbx.c, tried on 22.
"""

import re
from collections.abc import Callable
from typing import Protocol

from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.ami.connection import Headers, NotConnected, OutcomeUnknown
from phoneterm_bridge.pbx.ami.refused import AmiRefused
from phoneterm_bridge.pbx.port import Destination

_KNOWN_FOR_S = 1.0
_MOST_KNOWN = 1000
_MOST_HOPS = 3
_APPLICATIONS = {
    "chanspy": "spy", "extenspy": "spy", "dahdibarge": "barge", "zapbarge": "barge", "disa": "disa",
    "voicemailmain": "mailbox", "agentlogin": "login",
}  # fmt: skip
_CONTEXTS = {
    "app-chanspy": "spy", "app-zapbarge": "barge", "disa": "disa", "app-vmmain": "mailbox", "app-dialvm": "mailbox",
    "app-userlogonoff": "login", "bad-number": "nowhere",
}  # fmt: skip
_CALLS = ("dial", "queue", "gosub", "macro", "goto", "page")
_BARGES = re.compile(r",[^,]*[Bw]")  # the options of ChanSpy that let the spy be heard
_TRUNK = re.compile(r"(PJSIP|SIP|IAX2|DAHDI)/(?!.*sip:)[^&,]*[@/]", re.IGNORECASE)
_STRICTEST_FIRST = ("spy", "barge", "disa", "mailbox", "login", "outside", "nowhere", "inside")


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

    def forget(self) -> None:
        """Forget everything: the connection was lost, and the dialplan may have changed."""
        self._known.clear()

    async def _follow(self, context: str, number: str) -> Destination | None:
        """Return the strictest of what the entry is and of what its Gotos lead to."""
        found: list[Destination] = []
        for _ in range(_MOST_HOPS):
            try:
                lines = await self._client.ask_list("ShowDialPlan", [("Context", context), ("Extension", number)])
            except AmiRefused:  # there is no such context or number
                break
            entry = entry_of(lines)
            if not entry:
                break
            found.append(classify(entry))
            onward = _goto_in(entry, number)
            if onward is None or found[-1].kind != "inside":
                break
            context, number = onward
        return min(found, key=lambda one: _STRICTEST_FIRST.index(one.kind), default=None)


def entry_of(lines: list[Message]) -> list[Message]:
    """Return the lines of the entry that answers: the first one with a priority 1."""
    first = next((line for line in lines if line.get("Priority") == "1"), None)
    if first is None:
        return []
    place = (first.get("Context"), first.get("Extension"))
    return [line for line in lines if (line.get("Context"), line.get("Extension")) == place]


def classify(entry: list[Message]) -> Destination:
    """Return what an entry is, by its context and its applications; the strictest counts."""
    context = entry[0].get("Context")
    kinds = {_CONTEXTS.get(context, "inside"), "outside" if context.startswith("outrt-") else "inside"}
    kinds.update(_kind_of(line.get("Application").lower(), line.get("AppData")) for line in entry)
    calls = any(line.get("Application").lower() in _CALLS for line in entry)
    if not calls and any("cannot-complete" in line.get("AppData") for line in entry):
        kinds.add("nowhere")
    return Destination(min(kinds, key=_STRICTEST_FIRST.index), context)


def _kind_of(application: str, data: str) -> str:
    if application == "chanspy" and _BARGES.search(data):
        return "barge"
    if application == "dial" and any(_TRUNK.match(one) for one in data.partition(",")[0].split("&")):
        return "outside"
    if application in ("gosub", "macro") and "dialout-trunk" in data:
        return "outside"
    return _APPLICATIONS.get(application, "inside")


def _goto_in(entry: list[Message], number: str) -> tuple[str, str] | None:
    """Return the context and number of the entry's Goto, None where there is none that is known beforehand."""
    for line in entry:
        if line.get("Application").lower() == "goto":
            parts = line.get("AppData").replace("${EXTEN}", number).split(",")
            if len(parts) > 1 and "${" not in line.get("AppData").replace("${EXTEN}", ""):
                return (parts[-3] if len(parts) > 2 else line.get("Context"), parts[-2])
    return None
