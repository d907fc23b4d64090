"""Asterisk as a PBX backend, over AMI: follows its calls and carries out operations on them.

Does not decide who may transfer what. An operation whose answer was lost is "unknown" and is never repeated, and so is
one that Asterisk has taken, but whose effect its events do not show.
After every (re)connect the calls are read again before the PBX counts as available.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import lru_cache
from typing import ClassVar

import structlog
from phoneterm.core import messages

from phoneterm_bridge.pbx.ami.client import AmiClient
from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.ami.connection import NotConnected, OutcomeUnknown
from phoneterm_bridge.pbx.ami.refused import AmiRefused
from phoneterm_bridge.pbx.ami.settings import AmiSettings
from phoneterm_bridge.pbx.asterisk.actions import ACCEPTED, MISCONFIGURED, UNKNOWN, ChannelActions
from phoneterm_bridge.pbx.asterisk.arrival import Arrival
from phoneterm_bridge.pbx.asterisk.arrival_look import ArrivalLook
from phoneterm_bridge.pbx.asterisk.calls import Leg
from phoneterm_bridge.pbx.asterisk.feature_watch import FeatureWatch, FindFeatures
from phoneterm_bridge.pbx.asterisk.features import Features, ask_codes, ask_features
from phoneterm_bridge.pbx.asterisk.hearing import Hearing
from phoneterm_bridge.pbx.asterisk.known_numbers import KnownNumbers
from phoneterm_bridge.pbx.asterisk.release import Release
from phoneterm_bridge.pbx.asterisk.start import AttendedStart
from phoneterm_bridge.pbx.asterisk.start_codes import StartCodes
from phoneterm_bridge.pbx.asterisk.transfer import CONSULTING, ENDED
from phoneterm_bridge.pbx.asterisk.view import CallView, RunningTransfer
from phoneterm_bridge.pbx.calls import refusal_of_leg
from phoneterm_bridge.pbx.port import Call, Destination, Outcome, PbxListener, PbxMisconfigured, Target

_SHOWN_S = 2.0  # within this time Asterisk's events show what was asked for, or nobody knows whether it happened
# How long Asterisk's xferfailsound blocks the feature codes of a transferrer who is back. The usual one lasts 0.36 s; a
# busy host begins it late, other prompts are longer, and nobody keys another transfer sooner.
_FAIL_SOUND_S = 1.0
_LOG_IN_AGAIN_S = 60.0  # while a right is missing
_LOOK_ONCE_MORE_S = 1.0  # after a connect: any start of a consultation is over by then
_MAY_CHANGE_FEATURES = ("FullyBooted", "Reload")  # events of the class system, for a login that has it
_CONTEXT = re.compile(r"[A-Za-z0-9_.-]{1,79}")
_CONTEXTS_REMEMBERED = 64


class AsteriskPbx:
    """See `pbx.port.Pbx`."""

    def __init__(
        self,
        settings: AmiSettings,
        clock: Callable[[], float] = time.monotonic,
        find_features: FindFeatures = ask_features,
        log_in_again_s: float = _LOG_IN_AGAIN_S,
        look_once_more_s: float = _LOOK_ONCE_MORE_S,
        fail_sound_s: float = _FAIL_SOUND_S,
    ) -> None:
        """Keep the login; nothing is connected yet. clock: seconds, for conversations and time limits.

        find_features: a function that finds out, at each login, what this Asterisk can do. log_in_again_s: from one
        login that lacks a right to the next; look_once_more_s: from a login to the look for what was just beginning;
        fail_sound_s: from the end of a transfer to the next one at the same leg.
        """
        self.is_available = False
        self.web_hook = None  # Asterisk's events come over AMI
        self._is_following = False
        self._client = AmiClient(settings, self, on_readiness=self._on_readiness)
        self._actions = ChannelActions(self._client)
        release = Release(self._actions, clock, self._keep)
        self._arrival_look = ArrivalLook(self._client, self._keep)
        self._view = CallView(
            clock, release.on_stuck, release.on_left, release.on_given_up, self._arrival_look.look_soon
        )
        self._feature_watch = FeatureWatch(self._client, find_features, settings.username)
        self._will_tell = False
        self._clock = clock
        self._numbers = KnownNumbers(self._client, clock)
        self._start_codes = StartCodes(self._client, self._view.table)
        self._tasks: set[asyncio.Task] = set()
        self._looking: list[asyncio.Task[None]] = []
        self._username = settings.username
        self._log_in_again_s = log_in_again_s
        self._look_once_more_s = look_once_more_s
        self._fail_sound_s = fail_sound_s
        self._hearing = Hearing(self._client, self._view.table, self._on_hearing)

    def listen(self, listener: PbxListener) -> None:
        """Name the one listener, before `start`."""
        self._view.listener = listener

    def watch(self, endpoints: frozenset[str]) -> None:
        """Do nothing: Asterisk tells of the calls of every endpoint."""

    @property
    def is_login_refused(self) -> bool:
        """Whether the PBX is there and refuses the login."""
        return self._client.is_login_refused

    @property
    def trouble(self) -> str | None:
        """Why Asterisk is not available, or refuses what the bridge needs, as a sentence with the remedy."""
        if self._client.trouble is not None:
            return self._client.trouble
        return self._describe_deafness() if self._hearing.is_deaf else self._feature_watch.describe_missing_rights()

    @property
    def features(self) -> Features:
        """What this Asterisk could do when that was last asked; `speed` says what follows from it."""
        return self._feature_watch.features

    async def start(self) -> None:
        """Connect, and stay connected in the background; PbxRejectedLogin when the login is not accepted."""
        await self._client.start()

    async def stop(self) -> None:
        """Disconnect; no callback comes after this returns."""
        self._view.listener = None
        self._stop_looking()
        self._start_codes.pause()
        await self._client.stop()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def calls(self, endpoint: str) -> tuple[Call, ...]:
        """Return the endpoint's calls right now, from events already seen; none while the PBX is away."""
        return self._view.calls(endpoint) if self._is_following else ()

    def remark_on(self, operation: str) -> str | None:
        """Return None: Asterisk can do all there is, and does it as expected."""
        return None

    def why_ended(self, ref: str) -> str:
        """Return why a call no longer exists: "caller-gone" when the other side left first, else "no-call"."""
        return self._view.table.why_ended(ref)

    async def is_known_number(self, context: str, number: str) -> bool | None:
        """Say whether the dialplan has this number (at most a second ago); None when the PBX did not answer."""
        _check_context(context)
        return await self._numbers.has(context, number)

    async def destination_of(self, context: str, number: str) -> Destination | None:
        """Say what a number leads to (at most a second ago); None when the dialplan or the PBX does not say."""
        _check_context(context)
        return await self._numbers.dialplan.find(context, number) if messages.is_number(number) else None

    async def carry_out(self, operation: str, call: Call, target: Target | None) -> Outcome:
        """Carry out an operation on this call; an operation that is not in the tables below is refused."""
        if target is not None and operation in self._TO_TARGET:
            return await self._TO_TARGET[operation](self, call, *target)
        if target is None and operation in self._IN_TRANSFER:
            return await self._IN_TRANSFER[operation](self, call)
        return Outcome("failed", "unsupported")

    async def _send_away(self, call: Call, context: str, number: str) -> Outcome:
        """Send the call's other party to the number; progress "done" when Asterisk has moved it, then its arrival."""
        leg, refusal = self._find(call, context, number)
        if leg is not None and not self._numbers.remembers(context, number):
            try:
                is_known = await self._numbers.has(context, number)
            except PbxMisconfigured:
                return MISCONFIGURED
            if not is_known:
                return Outcome("failed", "unknown-number" if is_known is False else "pbx-unreachable")
            leg, refusal = self._find(call, context, number)  # the user may have hung up meanwhile
        if leg is None:
            return Outcome("failed", refusal)
        if len(self._view.table.others(leg)) > 1:
            return Outcome("failed", "ambiguous")  # in a call of three Asterisk would send both of the others
        arrivals = self._view.send(leg)
        outcome = self._explained(await self._actions.blind(leg.channel, context, number), call.ref)
        if outcome is ACCEPTED:
            asyncio.get_running_loop().call_soon(self._tell_sent, call.ref, arrivals)
        else:
            self._view.forget(arrivals)
        return outcome

    async def _consult(self, call: Call, context: str, number: str) -> Outcome:
        """Put the other party on hold and call the number; accepted once Asterisk has taken the number."""
        await self._feature_watch.look_for_playing()
        leg, refusal = self._find(call, context, number)
        if leg is not None and (deaf_s := leg.transfer_ended_at + self._fail_sound_s - self._clock()) > 0:
            await asyncio.sleep(deaf_s)
            leg, refusal = self._find(call, context, number)  # the call or the PBX may have been lost meanwhile
        if leg is None:
            return Outcome("failed", refusal)
        start = AttendedStart(self._client, self.features, self._view, self._numbers, self._start_codes)
        return self._explained(await start.begin(leg, context, number), call.ref)

    async def _complete(self, call: Call) -> Outcome:
        """Connect caller and colleague, by hanging up for the user: that needs no feature code.

        This does not apply when the user is with the caller: Asterisk 22 may bring the colleague there before the user
        is out, and then ends the call for all three. With its own code Asterisk removes the user itself, so the code is
        played where there is one.
        """

        async def connect(leg: Leg, running: RunningTransfer) -> Outcome:
            if running.transfer.is_swapped(leg):
                outcome = await self._actions.complete(leg.channel, running.codes.complete)
            else:
                outcome = await self._actions.hang_up(leg.channel)
            return await self._shown(outcome, running, lambda: running.transfer.has_left)

        return await self._steer(call, connect)

    async def _cancel(self, call: Call) -> Outcome:
        """Release the colleague and return to the caller."""

        async def abort(leg: Leg, running: RunningTransfer) -> Outcome:
            running.transfer.cancel()
            outcome = await self._actions.abort(leg.channel, running.codes.abort)
            outcome = await self._shown(outcome, running, lambda: running.transfer.state == ENDED)
            running.transfer.cancel(is_so=outcome is ACCEPTED)
            return outcome

        return await self._steer(call, abort)

    async def _swap(self, call: Call) -> Outcome:
        """Switch to whoever is on hold, caller or colleague; accepted once that has happened."""
        running = self._view.running(self._view.table.leg_of(call.ref))
        if running is not None and running.transfer.state != CONSULTING:
            return Outcome("failed", "not-answered")

        async def exchange(leg: Leg, running: RunningTransfer) -> Outcome:
            transfer = running.transfer
            transfer.swap()
            outcome = await self._actions.play(leg.channel, running.codes.swap)
            outcome = await self._shown(outcome, running, lambda: not transfer.is_swapping or transfer.state == ENDED)
            if outcome is ACCEPTED and transfer.is_swapping:
                return Outcome("failed", "no-call")
            transfer.swap(is_so=False)
            return outcome

        return await self._steer(call, exchange)

    _TO_TARGET: ClassVar = {"blind": _send_away, "attended": _consult}
    _IN_TRANSFER: ClassVar = {"complete": _complete, "cancel": _cancel, "swap": _swap}
    operations = frozenset((*_TO_TARGET, *_IN_TRANSFER))

    async def _shown(self, outcome: Outcome, running: RunningTransfer, is_shown: Callable[[], bool]) -> Outcome:
        """Return the outcome of an action once its effect is seen; unknown if it is not seen."""
        if outcome is ACCEPTED and not await running.comes_to(is_shown, _SHOWN_S):
            return UNKNOWN
        return outcome

    async def _steer(self, call: Call, act: Callable[[Leg, RunningTransfer], Awaitable[Outcome]]) -> Outcome:
        """Act on the call's transfer; its progress is reported after the outcome."""
        leg = self._view.table.leg_of(call.ref)
        running = self._view.running(leg)
        if leg is None or running is None or not running.transfer.is_under_way:
            return Outcome("failed", "no-call")
        running.hold_back()
        try:
            return self._explained(await act(leg, running), call.ref)
        finally:
            asyncio.get_running_loop().call_soon(running.release)

    async def _keep_logging_in(self) -> None:
        """While the login lacks a right, log in again now and then: only then a right that it was given counts."""
        while True:
            await asyncio.sleep(self._log_in_again_s)
            if self._hearing.is_deaf or self.features.lacks:
                self._client.log_in_anew()

    async def _look_for_begun(self) -> None:
        """Look once more for consultations: one that was just beginning was not in the list."""
        await asyncio.sleep(self._look_once_more_s)
        with contextlib.suppress(NotConnected, OutcomeUnknown, AmiRefused):
            channels = await self._client.ask_list("CoreShowChannels")
            await asyncio.gather(*map(self._find_codes, self._view.find_more(channels, self.features.codes)))

    def _stop_looking(self) -> None:
        for task in self._looking:
            task.cancel()
        self._looking.clear()

    async def on_connected(self) -> None:
        """Read Asterisk's calls, then become available."""
        features = await self._feature_watch.find()
        self._view.begin_load()
        channels = await self._client.ask_list("CoreShowChannels")
        self._is_following = True
        self.is_available = not self._hearing.is_deaf
        new = self._view.load(channels, features.codes)
        self._start_codes.resume()
        if self._view.listener is not None and self.is_available:
            self._view.listener.on_availability(True)
        self._feature_watch.take_over(features)
        works = (
            self._feature_watch.keep_looking_for_playing(),
            self._hearing.watch(),
            self._keep_logging_in(),
            self._look_for_begun(),
        )
        self._looking = [asyncio.create_task(work) for work in works]
        await asyncio.gather(*map(self._find_codes, new))

    async def _find_codes(self, leg: Leg) -> None:
        """Ask for the codes of a consultation that was found; they are as at its start unless changed since."""
        with contextlib.suppress(AmiRefused):
            codes, running = await ask_codes(self._client, leg.channel), self._view.running(leg)
            if running is not None:
                running.codes = codes
                running.transfer.expect_answer(codes.no_answer_s)

    def on_disconnected(self) -> None:
        """The PBX is away: from now on everything may change unseen."""
        self._numbers.forget()
        self._stop_looking()
        self._start_codes.pause()
        self._view.lose()
        self._is_following = False
        self._change_availability(False)

    def _on_readiness(self, is_ready: bool) -> None:
        """Asterisk refuses every action, because it is about to end, or no longer; its calls are followed meanwhile."""
        if self._is_following and not self._hearing.is_deaf:
            self._change_availability(is_ready)

    def _on_hearing(self) -> None:
        """It is certain that Asterisk tells nothing of its calls, or that it does."""
        if self._hearing.is_deaf:
            structlog.get_logger().error("pbx-tells-no-calls", why=self._describe_deafness())
        else:
            structlog.get_logger().info("pbx-tells-calls-again")
        if self._is_following:
            self._change_availability(not self._hearing.is_deaf)

    def _describe_deafness(self) -> str:
        return (
            f"The PBX tells the login {self._username} nothing of its calls: manager.conf must have read = call in "
            f"section [{self._username}], and `manager reload`; the bridge logs in anew once a minute."
        )

    def _change_availability(self, is_available: bool) -> None:
        if self.is_available != is_available:
            self.is_available = is_available
            if self._view.listener is not None:
                self._view.listener.on_availability(is_available)

    def on_event(self, event: Message) -> None:
        """Follow an event; changes from one packet are reported together."""
        self._view.apply(event)
        self._hearing.note_event(event)
        self._follow_start_code(event)
        if event.get("Event") in _MAY_CHANGE_FEATURES and self._is_following:
            self._keep(self._feature_watch.look_again())
        if not self._will_tell:
            self._will_tell = True
            asyncio.get_running_loop().call_soon(self._tell_changes)

    def _follow_start_code(self, event: Message) -> None:
        name, who = event.get("Event"), event.get("Uniqueid")
        if name == "BridgeEnter":
            leg = self._view.table.leg(who)
            if leg is not None and leg.endpoint:
                self._start_codes.note_entry(leg)
        elif name == "Hangup":
            self._start_codes.forget(who)

    def _tell_changes(self) -> None:
        self._will_tell = False
        self._view.tell_changes()

    def _find(self, call: Call, context: str, number: str) -> tuple[Leg | None, str | None]:
        """Return the leg that can be transferred to this number, or the reason why there is none."""
        _check_context(context)
        if not messages.is_number(number):
            return None, "bad-number"
        if not self.is_available:
            return None, "pbx-unreachable"
        leg = self._view.table.leg_of(call.ref)
        if leg is None:
            return None, self.why_ended(call.ref)
        refusal = refusal_of_leg(self._view.table.facts(leg), is_busy=self._view.running(leg) is not None)
        return (None, refusal) if refusal else (leg, None)

    def _explained(self, outcome: Outcome, ref: str) -> Outcome:
        """Say who left first if the channel is gone."""
        return Outcome("failed", self._view.table.why_ended(ref)) if outcome.reason == "no-call" else outcome

    def _keep(self, doing: Coroutine) -> None:
        task = asyncio.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tell_sent(self, ref: str, arrivals: list[Arrival]) -> None:
        if self._view.listener is not None:
            self._view.listener.on_progress(ref, "done", None)
        for arrival in arrivals:
            arrival.release()
            self._arrival_look.look_soon(arrival, self._view.table)


@lru_cache(_CONTEXTS_REMEMBERED)
def _check_context(context: str) -> None:
    if not _CONTEXT.fullmatch(context):
        raise ValueError(f"a dialplan context cannot be called {context!r}")
