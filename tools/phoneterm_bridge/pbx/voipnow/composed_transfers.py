"""Attended transfers that are put together from VoipNow's hold, call and transfer. Does not decide who may transfer.

VoipNow has none of its own. The flaw of this one: the caller cannot be put through to the call that the colleague has
answered. To complete, that call is ended, and the caller is sent to the number, where it rings a second time.

Each action names one call, is asked for once, and is never repeated. After a lost answer the list says what came of it:
what has not happened by then is not asked for again, and a caller who is on hold without a colleague is taken off
hold. A call to a colleague has a caller id that the bridge gave it; by that a bridge that starts in the middle knows it
again. Swap is not offered: which of two calls a phone plays is decided at the phone.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import structlog

from phoneterm_bridge.pbx.port import Call, Outcome
from phoneterm_bridge.pbx.voipnow.action_look import NO_CALL, UNREACHABLE, ActionLook
from phoneterm_bridge.pbx.voipnow.call_lists import CallLists
from phoneterm_bridge.pbx.voipnow.call_table import OUR_NAME, Leg, ref_of
from phoneterm_bridge.pbx.voipnow.consultation import (
    CALLING,
    CONSULTING,
    DOUBTFUL,
    LEAVING,
    OVER,
    RELEASE,
    RETURNING,
    STUCK,
    Consultation,
    News,
)
from phoneterm_bridge.pbx.voipnow.failures import AppRefused, NoAnswer, NotDone, Refused, TooMany
from phoneterm_bridge.pbx.voipnow.unified_api import UnifiedApi

OPERATIONS = frozenset({"attended", "complete", "cancel"})
_GONE_S = 2.0  # within this time a list shows that the call to the colleague has ended
_LOOK_EVERY_S = 0.1
_CALL_SHOWN_S = 2.0  # a call that was made and is in no list by then has ended: the user's phone was busy
_ACCEPTED, _UNKNOWN = Outcome("accepted"), Outcome("unknown")
_BUSY = Outcome("failed", "busy-transferring")
_TROUBLE = (NotDone, Refused, AppRefused)  # after these, nothing has happened at VoipNow


class ComposedTransfers:
    """All consultations of one VoipNow. clock: monotonic seconds."""

    def __init__(self, api: UnifiedApi, lists: CallLists, look: ActionLook, clock: Callable[[], float]) -> None:
        """None yet."""
        self._api = api
        self._lists = lists
        self._table = lists.table
        self._look = look
        self._clock = clock
        self._by_ref: dict[str, Consultation] = {}
        self._ended: set[str] = set()  # calls to colleagues that have become calls like any other
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def awaited(self) -> set[str]:
        """The extensions whose next list shows what came of something."""
        return {one.extension for one in self._by_ref.values() if one.waits}

    def has(self, ref: str) -> bool:
        """Say whether a leg is in a composed transfer."""
        return ref in self._by_ref

    def show(self, calls: tuple[Call, ...]) -> tuple[Call, ...]:
        """Return a user's calls as they are to be seen: a consultation is one call, not two."""
        shown = {one.ref: one for one in self._by_ref.values() if one.is_shown}
        hidden = {ref_of(one.colleague, one.extension) for one in shown.values() if one.colleague}
        return tuple(
            call._replace(state="consulting") if call.ref in shown else call for call in calls if call.ref not in hidden
        )

    async def begin(self, leg: Leg, number: str) -> Outcome:
        """Put the other party of a leg on hold, and have the user call the number; the leg is from a list just read."""
        if not leg.view_id:
            return Outcome("failed", "pbx-misconfigured")
        consultation = self._by_ref[leg.ref] = Consultation(leg, number, self._clock())
        with self._acting(consultation):
            refusal = None if leg.facts.is_on_hold else await self._hold(consultation, leg)
            if refusal is not None:
                return refusal
            consultation.enter(CALLING, self._clock())
            consultation.known = frozenset(one.call_id for one in self._table.legs_of(leg.extension))
            self._lists.report_changes([leg.extension])
            try:
                consultation.colleague = await self._api.make_call(leg.extension, number, f"{OUR_NAME} <{number}>")
            except NoAnswer as error:
                _log("call-without-an-answer", error)
                return _UNKNOWN
            except _TROUBLE as error:
                _log("call-not-made", error)
                return await self._give_up(consultation, error)
            consultation.enter(CALLING, self._clock(), _CALL_SHOWN_S)
            return _ACCEPTED

    async def complete(self, call: Call) -> Outcome:
        """End the call to the colleague, and send the caller to the colleague's number."""
        consultation = self._by_ref.get(call.ref)
        if consultation is None or consultation.state in (DOUBTFUL, STUCK):
            return NO_CALL
        if consultation.is_acting or consultation.state not in (CALLING, CONSULTING):
            return _BUSY
        with self._acting(consultation):
            refusal = await self._release(consultation)
            leg = self._table.leg_of(call.ref)
            if refusal is not None or leg is None:
                return refusal or NO_CALL
            consultation.enter(LEAVING, self._clock())
            try:
                await self._api.transfer(leg.extension, leg.call_id, consultation.number)
            except NoAnswer as error:
                _log("transfer-without-an-answer", error)
                self._tell_soon(consultation, News("unknown"))
                return _UNKNOWN
            except _TROUBLE as error:
                _log("transfer-refused", error)
                return await self._give_up(consultation, error)
            asyncio.get_running_loop().call_soon(self._lists.follow, leg)  # "accepted" comes first
            return _ACCEPTED

    async def cancel(self, call: Call) -> Outcome:
        """End the call to the colleague, and take the caller off hold."""
        consultation = self._by_ref.get(call.ref)
        if consultation is None or not consultation.is_shown:
            return NO_CALL
        if consultation.is_acting or consultation.state in (LEAVING, RETURNING):
            return _BUSY
        with self._acting(consultation):
            return await self._release(consultation) or await self._return(consultation, "cancelled")

    def judge(self, extension: str | None, request: int) -> None:
        """A list of one extension, or of all, is in the table now; request: the number of the one that it answers."""
        for consultation in tuple(self._by_ref.values()):
            is_concerned = extension in (None, consultation.extension)
            if is_concerned and not consultation.is_acting and request > consultation.since:
                self._judge(consultation)
        self._resume(extension)

    async def stop(self) -> None:
        """Ask nothing any more; consultations go on at VoipNow."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _judge(self, consultation: Consultation) -> None:
        before = consultation.is_shown
        user = self._table.leg_of(consultation.ref)
        news, duty = consultation.judge(user, self._colleague_of(consultation), self._clock())
        if consultation.state == OVER:
            self._drop(consultation)
        if consultation.is_shown != before:
            self._lists.report_changes([consultation.extension])
        if news is not None:
            self._lists.report_progress(consultation.ref, *news)
        if duty is not None:
            consultation.is_acting = True  # from now on, not from when the task runs
            self._spawn(self._do(consultation, duty))

    async def _do(self, consultation: Consultation, duty: str) -> None:
        with self._acting(consultation):
            if duty == RELEASE:
                await self._release(consultation)
                return
            state, reason = await self._return(consultation, None)
            if state == "failed":
                self._lists.report_progress(consultation.ref, state, reason)
            if consultation.colleague and not consultation.was_colleague_seen:
                await self._prevent(consultation)

    async def _hold(self, consultation: Consultation, leg: Leg) -> Outcome | None:
        """Put the caller on hold; return why that did not work, or None."""
        try:
            await self._api.hold(leg.extension, leg.call_id, leg.view_id, True)
        except NoAnswer as error:
            _log("hold-without-an-answer", error)
            return _UNKNOWN
        except _TROUBLE as error:
            _log("hold-refused", error)
            self._drop(consultation)
            outcome = await self._look.explain(error, leg.ref)
            return Outcome("failed", "not-permitted-by-pbx") if outcome.reason == "unknown-number" else outcome
        return None

    async def _release(self, consultation: Consultation) -> Outcome | None:
        """End the call to the colleague; return None once a list shows that there is none, else what came of it."""
        try:
            await self._look.read(consultation.extension)
        except TooMany as error:
            return await self._look.explain(error, consultation.ref)
        except (NoAnswer, *_TROUBLE, TimeoutError) as error:
            _log("calls-not-read", error)
            return UNREACHABLE
        leg = self._colleague_of(consultation)
        if leg is None:
            return None
        consultation.colleague = leg.call_id
        try:
            await self._api.hang_up(leg.extension, leg.call_id)
        except NoAnswer as error:
            _log("hang-up-without-an-answer", error)
        except _TROUBLE as error:
            _log("hang-up-refused", error)
            return await self._look.explain(error, leg.ref)
        return None if await self._is_colleague_gone(consultation) else _UNKNOWN

    async def _prevent(self, consultation: Consultation) -> None:
        """A call to the colleague that no list shows must not come late."""
        try:
            await self._api.hang_up(consultation.extension, consultation.colleague)
        except (NoAnswer, *_TROUBLE) as error:
            _log("call-was-gone", error)

    async def _is_colleague_gone(self, consultation: Consultation) -> bool:
        """Return whether a list shows, soon enough, that the call to the colleague is no more."""
        try:
            async with asyncio.timeout(_GONE_S):
                while True:
                    await self._look.read(consultation.extension)
                    if self._colleague_of(consultation) is None:
                        return True
                    await asyncio.sleep(_LOOK_EVERY_S)
        except (NoAnswer, *_TROUBLE, TimeoutError):
            return False

    async def _give_up(self, consultation: Consultation, error: Exception) -> Outcome:
        """VoipNow did not do it: take the caller off hold first, and then find out why."""
        await self._return(consultation, None)
        outcome = await self._look.explain(error, consultation.ref)
        consultation.reason = outcome.reason
        return outcome

    async def _return(self, consultation: Consultation, reason: str | None) -> Outcome:
        """Take the caller off hold."""
        leg = self._table.leg_of(consultation.ref)
        consultation.reason = reason
        consultation.enter(RETURNING, self._clock())
        if leg is None or not leg.view_id or not consultation.needs_off_hold(leg):
            return _ACCEPTED
        try:
            await self._api.hold(leg.extension, leg.call_id, leg.view_id, False)
        except NoAnswer as error:
            _log("off-hold-without-an-answer", error)
            return _UNKNOWN
        except _TROUBLE as error:
            _log("caller-left-on-hold", error)
            consultation.enter(STUCK, self._clock())
            return await self._look.explain(error, leg.ref)
        return _ACCEPTED

    def _colleague_of(self, consultation: Consultation) -> Leg | None:
        """Return the user's leg in the call to the colleague.

        It is known by its id; where none was told, by its caller id; and where none is shown, as the one call to that
        number that was not there before.
        """
        if consultation.colleague:
            return self._table.leg_of(ref_of(consultation.colleague, consultation.extension))
        taken = self._ended | {one.colleague for one in self._by_ref.values()}
        legs = [leg for leg in self._table.legs_of(consultation.extension) if leg.call_id not in taken]
        ours = [leg for leg in legs if leg.is_ours] or [leg for leg in legs if self._is_new(leg, consultation)]
        return ours[0] if len(ours) == 1 else None

    def _is_new(self, leg: Leg, consultation: Consultation) -> bool:
        if consultation.known is None or not leg.dialled or leg.call_id in consultation.known:
            return False
        return self._table.is_same_number(leg.dialled, consultation.number)

    def _resume(self, extension: str | None) -> None:
        """Know consultations again that this start of the bridge has not begun, where only one call can be meant."""
        for one in self._table.extensions() if extension is None else (extension,):
            legs = self._table.legs_of(one)
            ours = [leg for leg in legs if leg.is_ours and leg.call_id not in self._ended]
            held = [leg for leg in legs if leg.facts.is_on_hold and not leg.is_ours]
            if len(ours) == len(held) == 1 and not any(self.has(leg.ref) for leg in legs):
                consultation = self._by_ref[held[0].ref] = Consultation(held[0], ours[0].dialled, self._clock())
                consultation.resume(ours[0].call_id)
                self._lists.report_changes([one])
                self._judge(consultation)
        if extension is None:
            self._ended &= {leg.call_id for one in self._table.extensions() for leg in self._table.legs_of(one)}

    def _drop(self, consultation: Consultation) -> None:
        consultation.state = OVER
        self._by_ref.pop(consultation.ref, None)
        self._ended.add(consultation.colleague)

    def _tell_soon(self, consultation: Consultation, news: News) -> None:
        """Tell, after the outcome of the command."""
        asyncio.get_running_loop().call_soon(self._lists.report_progress, consultation.ref, *news)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @contextlib.contextmanager
    def _acting(self, consultation: Consultation) -> Iterator[None]:
        """While something is asked for no list is judged; the first one that is asked for afterwards comes soon."""
        consultation.is_acting, before = True, consultation.is_shown
        try:
            yield
        finally:
            consultation.is_acting = False
            if consultation.is_shown != before:
                self._lists.report_changes([consultation.extension])
            consultation.since = self._lists.newest_request
            self._lists.is_due.set()


def _log(event: str, error: Exception) -> None:
    structlog.get_logger().warning(event, why=str(error) or "it does not answer in time")
