"""The PBX as the bridge sees it: calls, operations on them, and their outcomes.

Does not know AMI, MQTT or terminals. A backend is one class with the methods of `Pbx`. It translates its PBX's
events into the few words here, and never repeats an operation whose outcome it does not know.

An endpoint is the extension's device name at the PBX ("101"). A call reference is minted by the backend, stays the
same for as long as the endpoint's leg of the call lives (through renames and swaps) and is never reused.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol


class Call(NamedTuple):
    """One endpoint's leg of a call.

    state: "ringing" (not answered here), "dialling" (this endpoint calls out, nobody has answered), "talking",
    "held" (this leg is on hold at the user's own wish), "consulting" (an attended transfer is under way), or
    "elsewhere" (up, but with an application such as voicemail, a menu or a conference instead of a person).
    talking_since: `time.monotonic()` seconds at which the leg was first connected to somebody, or None.
    peer: the number that is displayed of the other party, "" when unknown; it proves nothing. lines: the endpoints of
    the other party, and the numbers that were dialled to reach it, as far as the PBX tells. is_in_conference: it is
    with all who have dialled into one.
    """

    ref: str
    endpoint: str
    state: str
    talking_since: float | None
    peer: str
    lines: frozenset[str] = frozenset()
    is_in_conference: bool = False


class Target(NamedTuple):
    """The target of an operation: the number, and the dialplan context that it is dialled in."""

    context: str
    number: str


class Destination(NamedTuple):
    """What the PBX's dialplan says of a number.

    kind: "inside", "outside" (it leaves over a trunk), "nowhere" (a recording says that there is no such number), or
    one of DANGERS. place: the part of the dialplan that answers, such as a context.
    """

    kind: str
    place: str


# Numbers where a caller could listen, dial on, or change something: spying, barging in, dialling as if from inside,
# the administration of mailboxes, logging in as somebody, the settings of phones and queues, taking what rings
# elsewhere.
DANGERS = ("spy", "barge", "disa", "mailbox", "login", "settings", "pickup")


# How a party arrived that was sent away: the words of `on_arrival`, besides those for where it is meanwhile.
ANSWERED, NOT_ANSWERED, LEFT_AGAIN = "answered", "not-answered", "left-again"
PLACES = ("mailbox", "parking", "queue", "conference", "announcement", "machine")


class Outcome(NamedTuple):
    """The result of asking the PBX: "accepted", "failed" with a wire reason, or "unknown" (no answer came)."""

    state: str
    reason: str | None = None


class WebHook(NamedTuple):
    """Where a PBX sends its events over the web. key: the last part of that address, which nobody can guess."""

    key: str
    receive: Callable[[], None]


class PbxListener(Protocol):
    """The receiver of a backend's events. All calls come on the event loop and must not block."""

    def on_calls_changed(self, endpoint: str) -> None:
        """The calls of this endpoint have changed; read them with `Pbx.calls`."""

    def on_progress(self, ref: str, state: str, reason: str | None) -> None:
        """A transfer begun on call `ref` is now ringing, consulting, or at its end, as on the wire."""

    def on_arrival(self, ref: str, word: str, reason: str | None) -> None:
        """After "done": what was seen of the party that a blind transfer of `ref` sent away.

        First, where it has come to, if it was seen there: one of PLACES, with the reason why nobody had answered before
        that, if so. Last: ANSWERED; NOT_ANSWERED, with the reason; or LEFT_AGAIN, of which no more is known.
        """

    def on_availability(self, is_available: bool) -> None:
        """The PBX is now available (logged in, and its calls read), or no longer."""


class Pbx(Protocol):
    """A PBX backend. Even before it connects, it names the operations that it can carry out, by their wire words."""

    @property
    def is_available(self) -> bool:
        """Whether it is there, and its calls are known."""

    @property
    def is_login_refused(self) -> bool:
        """Whether it is not available because the PBX refuses the login."""

    @property
    def trouble(self) -> str | None:
        """Why it is not available, or why it does not work, as a sentence with the remedy; None where nobody knows."""

    @property
    def operations(self) -> frozenset[str]:
        """The operations that `carry_out` knows; every other one is refused."""

    def remark_on(self, operation: str) -> str | None:
        """Return, as a word, why this is none of `operations`, or how it differs from what people expect; or None."""

    @property
    def web_hook(self) -> WebHook | None:
        """What the bridge's pages take for the PBX, None where it sends nothing there."""

    def listen(self, listener: PbxListener) -> None:
        """Name the one listener, before `start`."""

    def watch(self, endpoints: frozenset[str]) -> None:
        """Name the endpoints with a terminal, before `start` and at each change, to a PBX that must be asked for each.

        Calls of other endpoints may be told all the same.
        """

    async def start(self) -> None:
        """Start connecting, and reconnect for as long as it runs. Bad credentials raise PbxRejectedLogin at once."""

    async def stop(self) -> None:
        """Disconnect; no callback comes after this returns."""

    def calls(self, endpoint: str) -> tuple[Call, ...]:
        """The endpoint's calls right now, from events already seen. The name is compared exactly."""

    def why_ended(self, ref: str) -> str:
        """Return why a call is no more: "caller-gone" when the other side left first, "no-call" otherwise."""

    async def is_known_number(self, context: str, number: str) -> bool | None:
        """Say whether the dialplan has this number; None when the PBX did not answer.

        PbxMisconfigured when no number can be found there.
        """

    async def destination_of(self, context: str, number: str) -> Destination | None:
        """Say what a number leads to; None where the PBX does not tell."""

    async def carry_out(self, operation: str, call: Call, target: Target | None) -> Outcome:
        """Carry out one of `operations` on this call; "failed", "unsupported" for every other word.

        `target` is given where the operation takes a number. The table `phoneterm.core.operations` defines them: blind
        sends the call's other party to the number; attended puts it on hold and calls the number; complete connects
        caller and colleague without the endpoint; cancel releases the colleague and returns to the caller; swap
        switches to whichever of the two is on hold, and is accepted once that has happened. What the PBX has taken
        without showing its effect is "unknown".
        """


class PbxMisconfigured(Exception):
    """The PBX, or what is set here of it, must be changed first; the text is a sentence with the remedy."""


class PbxRejectedLogin(Exception):
    """The PBX does not accept the user name or password; the text names the login, never the password.

    settings: the names of the settings with the login.
    """

    def __init__(self, text: str, settings: str = "pbx.username and pbx.secret") -> None:
        """Keep both."""
        super().__init__(text)
        self.settings = settings
