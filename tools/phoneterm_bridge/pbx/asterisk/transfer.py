"""The state of an attended transfer at Asterisk: a state table driven by its events.

Does no input or output. Asterisk raises AttendedTransfer "Success" even when the user hangs up while it still rings,
and raises nothing when the colleague is busy or the transfer is cancelled; so who is in which bridge decides.

| state      | meaning                                        | leaves it                                             |
|------------|------------------------------------------------|-------------------------------------------------------|
| asked      | the feature code is played                     | Hold of the transferrer: started                      |
| started    | caller on hold, colleague being called         | target Ringing: ringing; target Up: consulting        |
| ringing    | the colleague's phone rings                    | target Up: consulting; transferrer gone: left         |
| consulting | transferrer and colleague talk                 | AttendedTransfer Success, or transferrer gone and     |
|            |                                                | caller with target: done                              |
| left       | transferrer hung up before the answer          | caller with target: done; with transferrer: returned  |

In every state in between: if the transferrer is back with the caller, the second bridge is empty and its former members
are gone, the transfer is "returned", with the reason. (A member who leaves it to join the caller completes the
transfer; that event comes a moment later.) It is, too, if the user has made it a call of three: then nobody waits any
more. If every caller is gone, by hanging up or by being taken elsewhere (their bridge ends): failed, caller-gone. A
caller's channel may be replaced by another one, such as that of whom the caller brings to the user instead. The target
is Asterisk's own Local channel (its half `;1`) to the dialplan; half `;2` runs the Dial to the colleague's phone.
"""

from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.asterisk.calls import CallTable, Leg
from phoneterm_bridge.pbx.asterisk.channel_name import beginning_of_halves, is_first_half
from phoneterm_bridge.pbx.asterisk.evidence import Evidence
from phoneterm_bridge.pbx.asterisk.features import NO_ANSWER_DEFAULT_S

ASKED = "asked"
STARTED = "started"
RINGING = "ringing"
CONSULTING = "consulting"
LEFT = "left"
ENDED = "ended"

NO_ANSWER_MARGIN_S = 0.5

Progress = tuple[str, str | None]  # a state of the wire, and its reason if any


class Transfer:
    """One attended transfer, from the feature code to its end. Only `apply` changes its state."""

    def __init__(self, leg: Leg, callers: list[Leg], target_name: str) -> None:
        """Begin in `asked`: this leg is about to transfer these callers.

        target_name: the beginning of the name of the channel that Asterisk will make for the target.
        """
        self.state = ASKED
        self.ref = leg.ref
        self.endpoint = leg.endpoint
        self.transferrer = leg.uniqueid
        self.home = leg.bridge
        self.callers = {caller.uniqueid for caller in callers}
        self.target = ""
        self.is_cancelled = False
        self.is_swapping = False  # a swap was asked for, and the transferrer has not entered a bridge since
        self.wants_release = False
        self.is_given_up = False  # the transferrer left, the target did not answer, and Asterisk is through with both
        self._target_name = target_name
        self._no_answer_s = NO_ANSWER_DEFAULT_S
        self._called_at = float("inf")  # when Asterisk began to call the target
        self._consultation = ""
        self._guests: set[str] = set()  # who has been in the second bridge besides the transferrer
        self._colleagues: set[str] = set()
        self._evidence = Evidence()
        self._has_target_left = False
        self._has_target_ended = False  # its dialplan ended it, or its person hung up; it was not released
        self._has_left_consultation = False  # the transferrer hung up while talking to the colleague
        self._progress: list[Progress] = []

    @property
    def is_under_way(self) -> bool:
        """Say whether the transferrer is still part of it: waiting for the colleague or talking to one."""
        return self.state in (STARTED, RINGING, CONSULTING)

    def is_swapped(self, leg: Leg) -> bool:
        """Say whether the transferrer, whose leg this is, has gone back to the caller, or is on the way."""
        return self.state == CONSULTING and (self.is_swapping or leg.bridge != self._consultation)

    def adopt(self, target: Leg, home: str) -> None:
        """Begin in the middle, after a reconnect: caller in the home bridge, transferrer elsewhere with the target.

        If the target is in the home bridge itself, the transferrer has left it to them while it rang.
        """
        self.target = target.uniqueid
        self._target_name = beginning_of_halves(target.channel)
        self.home = home
        self._called_at = target.born
        self._guests = {target.uniqueid}
        if target.bridge == home:
            self.state = LEFT
        else:
            self._consultation = target.bridge
            self.state = CONSULTING if target.is_up else RINGING

    def apply(self, event: Message, table: CallTable, now: float) -> list[Progress]:
        """Take in one event, after the call table has; return the progress. now: `time.monotonic()` seconds."""
        if self.state == ENDED:
            return []
        name, who = event.get("Event"), event.get("Uniqueid")
        if name == "Newchannel" and not self.target and self.state in (ASKED, STARTED):
            self._look_for_target(event, table)
        elif name in ("BridgeEnter", "BridgeDestroy"):
            self._on_bridge(name, event, table)
        elif name == "Hold" and who == self.transferrer and self.state == ASKED:
            self.state = STARTED
            self._called_at = now
        elif name == "Newstate" and who and who == self.target:
            self._on_target_state(event.get("ChannelStateDesc"))
        elif name == "Unhold" and who == self.transferrer and self.state == STARTED and not self._consultation:
            self._end("returned", "unknown-number")  # Asterisk found nobody to call
        elif name in ("DialBegin", "DialEnd"):
            self._on_dial(event)
        elif name in ("HangupRequest", "Hangup"):
            self._on_hangup(event)
        elif name == "AttendedTransfer":
            self._on_attended_transfer(event)
        self._look_at_bridges(table, now)
        self._note_at_leg(table.leg(self.transferrer), now)
        progress, self._progress = self._progress, []
        return progress

    def expect_answer(self, within_s: float) -> None:
        """Asterisk will ring the colleague for so long; known before it begins, or once it was found again."""
        self._no_answer_s = within_s

    @property
    def no_answer_at(self) -> float:
        """Return the moment, of the clock of `now`, from which an end means that nobody answered."""
        return self._called_at + self._no_answer_s - NO_ANSWER_MARGIN_S

    @property
    def has_left(self) -> bool:
        """Say whether the transferrer has gone, or the transfer has ended in another way."""
        return self.state in (LEFT, ENDED) or self._has_left_consultation

    def cancel(self, is_so: bool = True) -> None:
        """The transferrer has asked to be with the caller again; or, if not `is_so`, could not be helped to."""
        self.is_cancelled = is_so

    def swap(self, is_so: bool = True) -> None:
        """The transferrer has asked to talk to the other one; or, if not `is_so`, could not be helped to."""
        self.is_swapping = is_so

    def _is_targets(self, event: Message) -> bool:
        return event.get("Channel").startswith(self._target_name)

    def _look_for_target(self, event: Message, table: CallTable) -> None:
        """Find the Local channel of this conversation; another transfer may call the same number at the same time.

        Its family is that of the transferrer now: where calls were merged (a pickup), Asterisk changes the family of a
        channel without an event, and its Hold, which comes just before, is the first one to tell it.
        """
        channel, leg = event.get("Channel"), table.leg(self.transferrer)
        is_family = leg is not None and event.get("Linkedid") == leg.family
        if self._is_targets(event) and is_family and is_first_half(channel):
            self.target = event.get("Uniqueid")
            self._target_name = beginning_of_halves(channel)

    def _on_bridge(self, name: str, event: Message, table: CallTable) -> None:
        """Somebody has come into a bridge, perhaps in place of another one; or a bridge is gone."""
        who, bridge = event.get("Uniqueid"), event.get("BridgeUniqueid")
        if name == "BridgeDestroy":
            if bridge == self.home and (self.is_under_way or self.state == LEFT):
                self._look_for_callers(table)
        elif who == self.transferrer:
            self.is_swapping = False
            self._consultation = self._consultation if bridge == self.home else bridge
        elif event.get("SwapUniqueid") in self.callers:
            self.callers.remove(event.get("SwapUniqueid"))
            self.callers.add(who)

    def _on_target_state(self, state: str) -> None:
        if state == "Ringing" and self.state == STARTED:
            self.state = RINGING
            self._progress.append(("ringing", None))
        elif state == "Up" and self.state in (STARTED, RINGING):
            self.state = CONSULTING
            self._progress.append(("consulting", None))
        elif state == "Up" and self.state == LEFT:
            self._end("done", None)

    def _on_dial(self, event: Message) -> None:
        """The target dials its colleagues; or a Dial has ended, the target's own one last."""
        status = event.get("DialStatus")
        if event.get("Event") == "DialBegin":
            self._evidence.note_dialler(event.get("Channel"))
        if self.target and event.get("DestUniqueid") == self.target:
            # The dialplan gives up and plays a tone: without help the user would listen to it for a long time.
            self.wants_release = self._evidence.note_end(status) and (self.is_under_way or self.state == LEFT)
        elif self._is_targets(event):
            self._colleagues.add(event.get("DestUniqueid"))
            self._evidence.note_dial(status, event.get("DestChannel"))

    def _on_hangup(self, event: Message) -> None:
        who = event.get("Uniqueid")
        if who == self.transferrer and self.state == LEFT and event.get("Event") == "Hangup":
            self.is_given_up = self._has_target_left
        elif who == self.transferrer and self.state == ASKED:
            self._end("failed", "no-call")
        elif who == self.transferrer and self.state in (STARTED, RINGING):
            self.state = LEFT
        elif who == self.transferrer and self.state == CONSULTING:
            self._has_left_consultation = True
        elif self._is_targets(event) or who in self._colleagues:
            is_asked_to_end = event.get("Event") == "HangupRequest" and who == self.target
            self._has_target_ended = self._has_target_ended or is_asked_to_end
            self._has_target_left = self._has_target_left or who not in self._colleagues
            self._evidence.note_cause(event.get("Cause"))
        else:
            self.callers.discard(who)

    def _on_attended_transfer(self, event: Message) -> None:
        transferrers = (event.get("OrigTransfererUniqueid"), event.get("SecondTransfererUniqueid"))
        if self.transferrer not in transferrers or event.get("Result") != "Success":
            return
        if event.get("DestType") == "Threeway":
            self._end("returned", None)
        elif self.state == CONSULTING:
            self._end("done", None)
        elif self.state in (STARTED, RINGING, LEFT):
            self.state = LEFT
            self.home = event.get("DestBridgeUniqueid") or self.home

    def _look_at_bridges(self, table: CallTable, now: float) -> None:
        """Decide by who is in which bridge, which works in any order of events."""
        if self.state == ENDED:
            return
        leg = table.leg(self.transferrer)
        self._guests |= {other.uniqueid for other in table.members(self._consultation) if other is not leg}
        if not self.callers:
            was_unanswered = self.state == LEFT and self._has_target_left
            self._end("failed", (self._evidence.reason if was_unanswered else None) or "caller-gone")
        elif self.state == LEFT:
            self._look_for_successor(table)
        elif self._has_left_consultation and self._are_together(table):
            self._end("done", None)
        elif self.state != ASKED and self._is_over(leg, table):
            self._end("returned", self._why_returned(now))

    def _note_at_leg(self, leg: Leg | None, now: float) -> None:
        """Note at the transferrer's leg what follows from the state."""
        if leg is not None:
            leg.has_hung_up = leg.has_hung_up or self.state == LEFT
            leg.transfer_ended_at = now if self.state == ENDED else leg.transfer_ended_at
            leg.is_on_hold = leg.is_on_hold and self.state != ENDED

    def _look_for_callers(self, table: CallTable) -> None:
        """The home bridge is gone: the callers are in another one together, or are callers of this transfer no more."""
        places = {leg.bridge for leg in map(table.leg, self.callers) if leg is not None} - {""}
        if places:
            self.home = places.pop()
        else:
            self.callers.clear()

    def _is_over(self, leg: Leg | None, table: CallTable) -> bool:
        """Say whether the transferrer is back with the caller, and the colleague neither waits nor joins them."""
        is_home = leg is not None and leg.bridge == self.home and leg.is_there
        if not is_home or not self._consultation or table.members(self._consultation):
            return False
        guests = [guest for guest in map(table.leg, self._guests) if guest is not None and guest.is_there]
        return all(guest.bridge not in ("", self.home) for guest in guests)

    def _are_together(self, table: CallTable) -> bool:
        """Say whether the target is in a caller's bridge."""
        target = table.leg(self.target)
        others = [] if target is None or not target.is_there else table.others(target)
        return any(other.uniqueid in self.callers for other in others)

    def _look_for_successor(self, table: CallTable) -> None:
        """After the transferrer left: decide done or returned by whom the caller talks to now."""
        legs = [leg for leg in table.members(self.home) if leg.is_up and leg.is_there]
        partners = [leg for leg in legs if leg.uniqueid not in self.callers]
        if partners and partners[0].endpoint == self.endpoint:
            self._end("returned", self._evidence.reason or "no-answer")
        elif partners:
            self._end("done", None)

    def _why_returned(self, now: float) -> str | None:
        """Asterisk moves a user who cancels before it ends the target; a target that ends by itself is told first."""
        if self.is_cancelled and not self._has_target_ended:
            return "cancelled"
        if self.state == CONSULTING:
            return None if self._has_target_ended or self.wants_release else "cancelled"
        is_unanswered = self._has_target_ended or now >= self.no_answer_at
        return self._evidence.reason or ("no-answer" if is_unanswered else "cancelled")

    def _end(self, state: str, reason: str | None) -> None:
        self.state = ENDED
        self._progress.append((state, reason))
