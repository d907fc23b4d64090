"""The adapter's view of Asterisk: its calls, the transfers under way, and reports of their changes.

Does no input or output itself; events go in, the listener is called. Progress of a transfer is held back until the
operation that began it has been answered, so that "accepted" always comes first.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.asterisk.arrival import TELLING_EVENTS, Arrival
from phoneterm_bridge.pbx.asterisk.calls import CallTable, Leg
from phoneterm_bridge.pbx.asterisk.channel_name import endpoint_of
from phoneterm_bridge.pbx.asterisk.features import Codes
from phoneterm_bridge.pbx.asterisk.resync import Found, find_transfers
from phoneterm_bridge.pbx.asterisk.transfer import ASKED, ENDED, LEFT, STARTED, Transfer
from phoneterm_bridge.pbx.port import Call, PbxListener

# At most so many parties are followed; beyond that the oldest, whose end was never reported, are dropped.
MOST_ARRIVALS = 1000


class RunningTransfer:
    """A transfer with what the operations need to know about it.

    codes are those that Asterisk took at its start. is_lost is set if the PBX was lost meanwhile. held_back is the
    progress that waits for an operation's answer, None when it need not wait.
    """

    def __init__(
        self,
        leg: Leg,
        callers: list[Leg],
        target_name: str,
        codes: Codes,
        report: Callable[[str, str, str | None], None],
    ) -> None:
        """Begin, with progress held back."""
        self.transfer = Transfer(leg, callers, target_name)
        self.codes = codes
        self.is_lost = False
        self._news = asyncio.Event()
        self.held_back: list[tuple[str, str | None]] | None = []
        self._report = report

    @property
    def has_begun(self) -> bool:
        """Say whether it is certain that the number was taken, or that it never will be."""
        return self.transfer.target != "" or self.transfer.state not in (ASKED, STARTED)

    async def comes_to(self, is_so: Callable[[], bool], within_s: float) -> bool:
        """Wait until Asterisk's events have made something true; False if they do not in this time, or are lost."""
        try:
            async with asyncio.timeout(within_s):
                while not is_so():
                    if self.is_lost:
                        return False
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    def note_news(self) -> None:
        """Something has happened, or never will."""
        self._news.set()

    def hold_back(self) -> None:
        """Keep progress for later, until `release`."""
        self.held_back = self.held_back or []

    def release(self) -> None:
        """Report what was held back, and report everything at once from now on."""
        held_back, self.held_back = self.held_back or [], None
        for state, reason in held_back:
            self._report(self.transfer.ref, state, reason)

    def pass_on(self, state: str, reason: str | None) -> None:
        """Report progress, or keep it for later."""
        if self.held_back is None:
            self._report(self.transfer.ref, state, reason)
        else:
            self.held_back.append((state, reason))


class CallView:
    """Call table and transfers, kept in step by `apply`.

    on_stuck gets a transfer whose colleague's dialplan has given up; on_left one whose user hung up while it rang;
    on_given_up one of these that Asterisk has given up; on_quiet a party that was sent away and for which nobody is
    called any more.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        on_stuck: Callable[[RunningTransfer, CallTable], None],
        on_left: Callable[[RunningTransfer, CallTable], None],
        on_given_up: Callable[[RunningTransfer, CallTable], None],
        on_quiet: Callable[[Arrival, CallTable], None],
    ) -> None:
        """Start empty."""
        self.table = CallTable(clock)
        self.listener: PbxListener | None = None
        self.clock = clock
        self._on_stuck = on_stuck
        self._on_left = on_left
        self._on_given_up = on_given_up
        self._on_quiet = on_quiet
        self._running: dict[str, RunningTransfer] = {}
        self._codes_before: dict[str, Codes] = {}  # by Uniqueid: of the transfers that were lost sight of
        self._arrivals: dict[str, Arrival] = {}  # by the party's Uniqueid, oldest first
        self._told: dict[str, tuple[Call, ...]] = {}
        self._touched: set[str] = set()
        self._early: list[Message] | None = None  # events since `begin_load`

    def calls(self, endpoint: str) -> tuple[Call, ...]:
        """Return the endpoint's calls as the bridge sees them."""
        return tuple(self._call(leg) for leg in self.table.legs_of(endpoint))

    def running(self, leg: Leg | None) -> RunningTransfer | None:
        """Return the transfer this leg is in, if any."""
        return self._running.get(leg.uniqueid) if leg else None

    def begin(self, leg: Leg, target_name: str) -> RunningTransfer:
        """Follow a transfer that is about to be started; ValueError when the leg already has one.

        target_name: the beginning of the name of the channel that Asterisk will make for the target.
        """
        if leg.uniqueid in self._running:
            raise ValueError(f"the call {leg.ref} already has a transfer")
        running = RunningTransfer(leg, self.table.others(leg), target_name, Codes(), self._report)
        self._running[leg.uniqueid] = running
        return running

    def drop(self, leg: Leg) -> None:
        """Stop following the leg's transfer."""
        self._running.pop(leg.uniqueid, None)

    def send(self, leg: Leg) -> list[Arrival]:
        """Follow the leg's other parties, who are about to be sent away; return them for `release` or `forget`.

        A party that was sent away before is with the user now, so it is no longer on that way.
        """
        sent = [Arrival(other.uniqueid, partial(self._tell_arrival, leg.ref)) for other in self.table.others(leg)]
        for arrival in sent:
            self._forget(arrival.party)
            self._arrivals[arrival.party] = arrival
        while len(self._arrivals) > MOST_ARRIVALS:
            self._forget(next(iter(self._arrivals)))
        return sent

    def forget(self, arrivals: list[Arrival]) -> None:
        """Stop following these."""
        for arrival in arrivals:
            if self._arrivals.get(arrival.party) is arrival:
                self._forget(arrival.party)

    def _forget(self, party: str) -> None:
        arrival = self._arrivals.pop(party, None)
        if arrival is not None:
            arrival.is_over = True  # nobody looks for it any more

    def lose(self) -> None:
        """The connection is gone: stop following everything, because what is known may soon be wrong."""
        self._codes_before = {uniqueid: running.codes for uniqueid, running in self._running.items()}
        for running in self._running.values():
            running.is_lost = True
            running.note_news()
        self._running.clear()
        self._arrivals.clear()
        self._early = None

    def begin_load(self) -> None:
        """Keep every event from now on until `load`: the coming list may or may not include it."""
        self._early = []

    def load(self, channels: Iterable[Message], codes: Codes) -> list[Leg]:
        """Replace the calls by a fresh list and the events since, and find the consultations in it.

        Return the legs of the consultations that nobody knew before: they are given these codes.
        """
        self.table.load(channels)
        early, self._early = self._early or [], None
        for event in early:
            self.table.apply(event)
        new = [found.leg for found in find_transfers(self.table) if self._adopt(found, codes)]
        self._codes_before.clear()
        self._touched |= {leg.endpoint for leg in self.table.everybody()} | set(self._told)
        self.tell_changes()
        return new

    def find_more(self, channels: Iterable[Message], codes: Codes) -> list[Leg]:
        """Find the consultations in a later list that were just beginning when the calls were loaded.

        Return their legs: they are given these codes. What has changed since the list is left out.
        """
        listed = CallTable(self.clock)
        listed.load(channels)
        new = []
        for found in find_transfers(listed):
            leg, target = self.table.leg(found.leg.uniqueid), self.table.leg(found.target.uniqueid)
            callers = [caller for one in found.callers if (caller := self.table.leg(one.uniqueid)) is not None]
            if leg is None or target is None or leg.uniqueid in self._running or not callers:
                continue
            if (leg.bridge, target.bridge) == (found.leg.bridge, found.target.bridge):
                self._adopt(Found(leg, callers, target, found.home), codes)
                self._touched.add(leg.endpoint)
                new.append(leg)
        self.tell_changes()
        return new

    def _adopt(self, found: Found, codes: Codes) -> bool:
        """Follow a transfer from its middle; return whether nobody knew it before, so that it has these codes."""
        known = self._codes_before.get(found.leg.uniqueid)
        running = RunningTransfer(found.leg, found.callers, "", known or codes, self._report)
        running.transfer.adopt(found.target, found.home)
        running.transfer.expect_answer(running.codes.no_answer_s)
        running.release()
        self._running[found.leg.uniqueid] = running
        if running.transfer.state == LEFT:
            found.leg.has_hung_up = True
            self._on_left(running, self.table)
        return known is None

    def apply(self, event: Message) -> None:
        """Take in one event; progress is reported at once, changed calls by the next `tell_changes`."""
        if self._early is not None:
            self._early.append(event)
            return
        self._touched |= self._endpoints_of(event)
        self.table.apply(event)
        for running in tuple(self._running.values()):
            self._apply_to(running, event)
            self._touched.add(running.transfer.endpoint)
        if event.get("Event") in TELLING_EVENTS:
            for arrival in self._arrivals.values():
                was_quiet = arrival.is_quiet
                arrival.apply(event)
                if arrival.is_quiet and not was_quiet:
                    self._on_quiet(arrival, self.table)
            self.forget([arrival for arrival in self._arrivals.values() if arrival.is_over])
        self._touched |= self._endpoints_of(event)

    def tell_changes(self) -> None:
        """Report whose calls have changed since the last report: once for all events that came together."""
        touched, self._touched = self._touched, set()
        for endpoint in touched:
            self._tell_if_changed(endpoint)

    def _apply_to(self, running: RunningTransfer, event: Message) -> None:
        transfer = running.transfer
        wanted_release, had_left = transfer.wants_release, transfer.state == LEFT
        was_given_up = transfer.is_given_up
        for state, reason in transfer.apply(event, self.table, self.clock()):
            running.pass_on(state, reason)
        running.note_news()
        if transfer.state == ENDED:
            self._running.pop(transfer.transferrer, None)
        if transfer.wants_release and not wanted_release:
            self._on_stuck(running, self.table)
        if transfer.state == LEFT and not had_left:
            self._on_left(running, self.table)
        if transfer.is_given_up and not was_given_up:
            self._on_given_up(running, self.table)

    def _call(self, leg: Leg) -> Call:
        running = self._running.get(leg.uniqueid)
        return self.table.call(leg, running is not None and running.transfer.is_under_way)

    def _endpoints_of(self, event: Message) -> set[str]:
        members = self.table.members(event.get("BridgeUniqueid"))
        endpoints = {endpoint_of(event.get("Channel")), endpoint_of(event.get("DestChannel"))}
        return endpoints | {leg.endpoint for leg in members}

    def _tell_if_changed(self, endpoint: str) -> None:
        calls = self.calls(endpoint) if endpoint else ()
        if calls == self._told.get(endpoint, ()):
            return
        self._told[endpoint] = calls
        if not calls:
            del self._told[endpoint]
        if self.listener is not None:
            self.listener.on_calls_changed(endpoint)

    def _tell_arrival(self, ref: str, word: str, reason: str | None) -> None:
        if self.listener is not None:
            self.listener.on_arrival(ref, word, reason)

    def _report(self, ref: str, state: str, reason: str | None) -> None:
        if self.listener is not None:
            self.listener.on_progress(ref, state, reason)
