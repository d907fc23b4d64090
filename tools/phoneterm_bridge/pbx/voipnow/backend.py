"""VoipNow as a PBX backend: carries out operations on its calls, as far as VoipNow can.

Does not look at calls by itself (`looking`), and does not decide who may transfer what. It can send a caller away
blindly. VoipNow has no attended transfer: one is composed only where the settings say so (`composed_transfers`). A
transfer is bound to one call by VoipNow's own id of it, is asked for once, and only if a list that was read just before
shows that call. One whose answer was lost is "unknown"; the next list shows where the user stands. VoipNow does not
tell which numbers there are, so the digit map of the site is all that a number is checked against.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
from phoneterm.core import messages

from phoneterm_bridge.pbx.calls import refusal_of_leg
from phoneterm_bridge.pbx.port import Call, Destination, Outcome, PbxListener, PbxRejectedLogin, Target, WebHook
from phoneterm_bridge.pbx.voipnow.action_look import UNREACHABLE, ActionLook
from phoneterm_bridge.pbx.voipnow.call_events import CallEvents
from phoneterm_bridge.pbx.voipnow.call_lists import CallLists
from phoneterm_bridge.pbx.voipnow.call_table import Leg
from phoneterm_bridge.pbx.voipnow.composed_transfers import OPERATIONS as COMPOSED
from phoneterm_bridge.pbx.voipnow.composed_transfers import ComposedTransfers
from phoneterm_bridge.pbx.voipnow.extension_number import extended_of, forms_of
from phoneterm_bridge.pbx.voipnow.failures import FAILURES, AppRefused, NoAnswer, NotDone, Refused
from phoneterm_bridge.pbx.voipnow.kept_registrations import KeptRegistrations
from phoneterm_bridge.pbx.voipnow.looking import Looking
from phoneterm_bridge.pbx.voipnow.one_by_one import OneByOne
from phoneterm_bridge.pbx.voipnow.reachability import Reachability
from phoneterm_bridge.pbx.voipnow.rhythm import Rhythm
from phoneterm_bridge.pbx.voipnow.unified_api import UnifiedApi
from phoneterm_bridge.settings.voipnow import VoipNowSettings

_GOODBYE_S = 2.0
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
        self._endpoints: frozenset[str] = frozenset()
        self._tasks: list[asyncio.Task[None]] = []
        look_every_s = settings.poll_ms / 1000
        self._api = UnifiedApi(settings)
        self._events = CallEvents(self._api, settings.events_url, KeptRegistrations(kept, settings.url))
        self._lists = CallLists(self._api, settings.organization, clock)
        self._reachability = Reachability(settings.url, look_every_s, self._on_back, self._on_away, clock)
        rhythm = Rhythm(look_every_s, clock)
        each = OneByOne(self._extensions, self._api, self._lists, self._reachability, clock)
        read: Callable[[], Awaitable[None]] = self._lists.read if settings.lists == "together" else each.read
        self._looking = Looking(read, self._lists, rhythm, self._reachability, clock)
        self._action_look = ActionLook(self._lists, rhythm)
        self._composed: ComposedTransfers | None = None
        if settings.attended == "composed":
            self._composed = ComposedTransfers(self._api, self._lists, self._action_look, clock)
            self._lists.consultations = self._composed
            self.operations |= COMPOSED
        self.web_hook = WebHook(self._events.key, self._looking.look_soon) if settings.events_url else None

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
        refused = await self._looking.look()
        if refused is not None:
            await self._api.close()
            raise PbxRejectedLogin(
                f"VoipNow at {self._settings.url} does not accept the app {self._settings.client_id} ({refused})",
                "voipnow.client_id and voipnow.client_secret",
            )
        self._tasks.append(asyncio.create_task(self._looking.keep_looking(), name="voipnow"))
        self._events.is_due.set()  # even without a terminal there may be something that an earlier start has left
        self._tasks.append(asyncio.create_task(self._events.keep_registered(self._extensions), name="events"))

    async def stop(self) -> None:
        """Ask nothing any more; no callback comes after this returns."""
        self._lists.listener = None
        self._looking.stop()
        self._reachability.stop()
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
        leg = await self._find(call, number)
        return await composed.begin(leg, number) if isinstance(leg, Leg) else leg

    async def _send_away(self, call: Call, number: str) -> Outcome:
        leg = await self._find(call, number)
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

    async def _find(self, call: Call, number: str) -> Leg | Outcome:
        """Return the leg that can be transferred to this number now; else why not."""
        organization = self._settings.organization
        extension = extended_of(call.endpoint, organization)
        if not messages.is_number(number) or number[0] == "*":
            return Outcome("failed", "bad-number")
        if number in forms_of(extension, organization):
            return Outcome("failed", "self")
        if not self.is_available:
            return UNREACHABLE
        leg = await self._action_look.find(call.ref, extension)
        if not isinstance(leg, Leg):
            return leg
        is_busy = self._lists.is_followed(call.ref) or (self._composed is not None and self._composed.has(call.ref))
        refusal = refusal_of_leg(leg.facts, is_busy=is_busy)
        return leg if refusal is None else Outcome("failed", refusal)

    def _extensions(self) -> set[str]:
        return {extended_of(one, self._settings.organization) for one in self._endpoints}

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
