"""VoipNow as a PBX backend: looks at its calls again and again, and sends callers away.

Does not decide who may transfer what. It can send a caller away blindly. VoipNow has no attended transfer: one is
composed only where the settings say so (`composed_transfers`). A transfer is bound to one call by VoipNow's own id of
it, is asked for once, and only if a list that was read just before shows that call. One whose answer was lost is
"unknown"; the next list shows where the user stands. VoipNow does not tell which numbers there are, so the digit map of
the site is all that a number is checked against.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from phoneterm.core import messages

from phoneterm_bridge.pbx.calls import refusal_of_leg
from phoneterm_bridge.pbx.port import (
    Call,
    Destination,
    Outcome,
    PbxListener,
    PbxRejectedLogin,
    Target,
    WebHook,
)
from phoneterm_bridge.pbx.voipnow.action_look import UNREACHABLE, ActionLook
from phoneterm_bridge.pbx.voipnow.call_events import CallEvents
from phoneterm_bridge.pbx.voipnow.call_lists import CallLists
from phoneterm_bridge.pbx.voipnow.call_table import Leg
from phoneterm_bridge.pbx.voipnow.composed_transfers import OPERATIONS as COMPOSED
from phoneterm_bridge.pbx.voipnow.composed_transfers import ComposedTransfers
from phoneterm_bridge.pbx.voipnow.extension_number import extended_of, forms_of
from phoneterm_bridge.pbx.voipnow.failures import FAILURES, AppRefused, NoAnswer, NotDone, Refused, TooMany
from phoneterm_bridge.pbx.voipnow.kept_registrations import KeptRegistrations
from phoneterm_bridge.pbx.voipnow.one_by_one import OneByOne
from phoneterm_bridge.pbx.voipnow.reachability import Reachability
from phoneterm_bridge.pbx.voipnow.rhythm import Rhythm
from phoneterm_bridge.pbx.voipnow.unified_api import TOKEN_NOT_TAKEN, UnifiedApi
from phoneterm_bridge.settings.voipnow import VoipNowSettings

_GOODBYE_S = 2.0
_NOT_LET_IN = (TOKEN_NOT_TAKEN, 403)
_OF_ATTENDED = (*COMPOSED, "swap")
_UNSUPPORTED = Outcome("failed", "unsupported")


class VoipNowPbx:
    """See `pbx.port.Pbx`."""

    def __init__(
        self, settings: VoipNowSettings, clock: Callable[[], float] = time.monotonic, kept: Path | None = None
    ) -> None:
        """Keep the settings; nothing is asked yet. clock: seconds, for conversations and time limits.

        kept: the file for what VoipNow was asked to tell of; None for none.
        """
        self.trouble: str | None = None
        self.operations = frozenset({"blind"})
        self._settings = settings
        self._clock = clock
        self._api = UnifiedApi(settings)
        self._lists = CallLists(self._api, settings.organization, clock)
        self._rhythm = Rhythm(settings.poll_ms / 1000, clock)
        self._action_look = ActionLook(self._lists, self._rhythm)
        self._reachability = Reachability(settings.url, settings.poll_ms / 1000, self._on_back, self._on_away, clock)
        self._endpoints: frozenset[str] = frozenset()
        self._took_s = 0.0
        self._one_by_one = OneByOne(self._api, self._lists, self._reachability, clock)
        self._tasks: list[asyncio.Task[None]] = []
        self._events = CallEvents(self._api, settings.events_url, KeptRegistrations(kept, settings.url))
        self._hinted_s = 0.0
        self._hint: asyncio.TimerHandle | None = None
        self._composed: ComposedTransfers | None = None
        if settings.attended == "composed":
            self._composed = self._lists.consultations = ComposedTransfers(
                self._api, self._lists, self._action_look, clock
            )
            self.operations |= COMPOSED
        self.web_hook = WebHook(self._events.key, self._take_hint) if settings.events_url else None

    @property
    def is_available(self) -> bool:
        """Whether VoipNow is there, and its calls are known."""
        return self._reachability.is_available

    @property
    def is_login_refused(self) -> bool:
        """Whether VoipNow is there and does not let the app in."""
        return self._reachability.is_login_refused

    def listen(self, listener: PbxListener) -> None:
        """Name the one listener, before `start`."""
        self._lists.listener = listener

    def watch(self, endpoints: frozenset[str]) -> None:
        """Ask for the calls of these endpoints, where they are not asked for all at once."""
        if endpoints != self._endpoints:
            self._endpoints = endpoints
            self._lists.is_due.set()
            self._events.is_due.set()

    async def start(self) -> None:
        """Look at the calls once, and go on in the background; PbxRejectedLogin when VoipNow refuses the app."""
        self._lists.is_due.clear()
        refused = await self._look()
        if refused is not None:
            await self._api.close()
            raise PbxRejectedLogin(
                f"VoipNow at {self._settings.url} does not accept the app {self._settings.client_id} ({refused})",
                "voipnow.client_id and voipnow.client_secret",
            )
        self._tasks.append(asyncio.create_task(self._keep_looking(), name="voipnow"))
        self._events.is_due.set()  # even without a terminal there may be something that an earlier start has left
        self._tasks.append(asyncio.create_task(self._events.keep_registered(self._extensions), name="events"))

    async def stop(self) -> None:
        """Ask nothing any more; no callback comes after this returns."""
        self._lists.listener = None
        self._reachability.stop()
        if self._hint is not None:
            self._hint.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        if self._composed is not None:
            await self._composed.stop()
        if self.is_available:
            with contextlib.suppress(*FAILURES, TimeoutError):
                async with asyncio.timeout(_GOODBYE_S):
                    await self._events.remove()
        await self._api.close()

    def calls(self, endpoint: str) -> tuple[Call, ...]:
        """Return the endpoint's calls as the last list showed them; none while VoipNow is away."""
        found = self._lists.table.calls(endpoint)
        return found if self._composed is None else self._composed.show(found)

    def remark_on(self, operation: str) -> str | None:
        """Say that VoipNow has no attended transfer, so that there is none, or one that is composed and has no swap."""
        if operation not in _OF_ATTENDED:
            return None
        if self._composed is None:
            return "no-attended-transfer"
        return "composed" if operation in self.operations else "no-swap"

    def why_ended(self, ref: str) -> str:
        """Return "no-call": a list does not show who left first."""
        return "no-call"

    async def is_known_number(self, context: str, number: str) -> bool | None:
        """Say whether this can be a number at all: VoipNow does not tell which ones there are."""
        return messages.is_number(number) and number[0] != "*"

    async def destination_of(self, context: str, number: str) -> Destination | None:
        """Return None: VoipNow does not tell what a number leads to."""
        return None

    async def carry_out(self, operation: str, call: Call, target: Target | None) -> Outcome:
        """Send the call's other party to the number; what is not in `operations` is refused at once, without asking."""
        if operation not in self.operations:
            return _UNSUPPORTED
        if operation == "blind" and target is not None:
            return await self._send_away(call, target.number)
        if self._composed is not None and self.is_available:
            if operation == "attended" and target is not None:
                return await self._consult(self._composed, call, target.number)
            steer = {"complete": self._composed.complete, "cancel": self._composed.cancel}
            return await steer[operation](call) if target is None and operation in steer else _UNSUPPORTED
        return UNREACHABLE

    async def _consult(self, composed: ComposedTransfers, call: Call, number: str) -> Outcome:
        refusal = self._refuse_number(call, number)
        if refusal is not None:
            return Outcome("failed", refusal)
        leg = await self._find(call)
        return await composed.begin(leg, number) if isinstance(leg, Leg) else leg

    async def _send_away(self, call: Call, number: str) -> Outcome:
        refusal = self._refuse_number(call, number)
        if refusal is not None:
            return Outcome("failed", refusal)
        if not self.is_available:
            return UNREACHABLE
        leg = await self._find(call)
        if not isinstance(leg, Leg):
            return leg
        try:
            await self._api.transfer(leg.extension, leg.call_id, number)
        except NoAnswer as error:
            self._lists.is_due.set()  # the list says what came of it
            structlog.get_logger().warning("transfer-without-an-answer", why=str(error))
            return Outcome("unknown")
        except (NotDone, Refused, AppRefused) as error:
            structlog.get_logger().warning("transfer-refused", why=str(error))
            return await self._action_look.explain(error, call.ref)
        asyncio.get_running_loop().call_soon(self._lists.follow, leg)  # "accepted" comes first
        return Outcome("accepted")

    def _refuse_number(self, call: Call, number: str) -> str | None:
        if not messages.is_number(number) or number[0] == "*":
            return "bad-number"
        own = forms_of(extended_of(call.endpoint, self._settings.organization), self._settings.organization)
        return "self" if number in own else None

    async def _find(self, call: Call) -> Leg | Outcome:
        """Return the leg that can be transferred now; else why not."""
        leg = await self._action_look.find(call.ref, extended_of(call.endpoint, self._settings.organization))
        if not isinstance(leg, Leg):
            return leg
        is_busy = self._lists.is_followed(call.ref) or (self._composed is not None and self._composed.has(call.ref))
        refusal = refusal_of_leg(leg.facts, is_busy=is_busy)
        return leg if refusal is None else Outcome("failed", refusal)

    async def _keep_looking(self) -> None:
        """Look at the calls for ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._rhythm.pause_s(bool(self._lists.awaited))):
                    await self._lists.is_due.wait()
            self._lists.is_due.clear()
            await self._look()

    def _take_hint(self) -> None:
        """VoipNow has told of something: look at the calls soon, but not more often than is good for anybody."""
        wait_s = self._hinted_s + self._rhythm.hint_pause_s(self._took_s) - self._clock()
        if self._hint is None:
            self._hint = asyncio.get_running_loop().call_later(max(wait_s, 0.0), self._follow_hint)

    def _follow_hint(self) -> None:
        self._hint, self._hinted_s = None, self._clock()
        if not self._rhythm.is_in_trouble:
            self._lists.is_due.set()

    def _extensions(self) -> set[str]:
        return {extended_of(one, self._settings.organization) for one in self._endpoints}

    async def _look(self) -> str | None:
        """Read all calls; return why VoipNow refuses the app, if it does."""
        started_s = self._clock()
        try:
            await self._read_all()
        except TooMany as error:
            self._note_trouble(str(error), error.after_s)
        except AppRefused as error:
            self._note_trouble(f"it refuses the app: {error}", is_login=True)
            return str(error)
        except Refused as error:
            self._note_trouble(str(error), is_login=error.status in _NOT_LET_IN)
        except FAILURES as error:
            self._note_trouble(str(error))
        except Exception as error:  # whatever VoipNow has answered, the next look must come
            structlog.get_logger().exception("calls-not-read", error=type(error).__name__)
            self._note_trouble("its answer is not understood")
        else:
            self._rhythm.note_success()
            self._reachability.note_success()
        self._took_s = self._clock() - started_s
        return None

    async def _read_all(self) -> None:
        if self._settings.lists == "together":
            await self._lists.read()
            return
        await self._one_by_one.read(self._extensions())

    def _note_trouble(self, why: str, told_s: float | None = None, is_login: bool = False) -> None:
        """A look has failed."""
        self._rhythm.note_failure(told_s)
        self._reachability.note_trouble(why, is_login)

    def _on_back(self) -> None:
        """VoipNow is there again."""
        self._events.is_due.set()
        self._tell_availability(True)

    def _on_away(self, is_news: bool) -> None:
        """VoipNow counts as away: from now on everything may change unseen."""
        had = self._lists.forget_all()
        if is_news:
            self._tell_availability(False)
        self._lists.report_changes(had)

    def _tell_availability(self, is_available: bool) -> None:
        if self._lists.listener is not None:
            self._lists.listener.on_availability(is_available)
