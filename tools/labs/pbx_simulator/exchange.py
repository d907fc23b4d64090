"""The simulated PBX itself: its dialplan, its phones, its calls and their transfers.

Does not speak AMI (`ami_server` does); its only timers are Asterisk's own limits. A phone's user acts through
`place_call`, `pick_up` and `hang_up`; a bridge service uses the methods below those.
"""

import asyncio
from collections.abc import Callable

from pbx_lab.lab import ENDPOINTS, PHONE_CONTEXTS, TRANSFER_CONTEXTS, TRUNK, LabOptions

from pbx_simulator import freepbx
from pbx_simulator.consultation import Consultation
from pbx_simulator.dial import Dial, status_of
from pbx_simulator.dialplan import (
    ANSWERING_BUSY,
    BEHIND_LOCAL,
    CONFERENCE,
    DISPLAYED,
    DISPLAYING,
    ENDING,
    MACHINE,
    PHONE_BEHIND,
    PICK_UP,
    PICKED_UP_AT,
    WITH_VOICEMAIL,
    has_number,
    phones_of,
)
from pbx_simulator.parties import Bridge, Channel, Pairs, Parties
from pbx_simulator.usual_codes import CODES

BUSY_S = 20
ENDING_S = 1


class Exchange:
    """One PBX."""

    def __init__(self, options: LabOptions, emit: Callable[[str, Pairs], None]) -> None:
        """Start without calls; all phones answer."""
        self.options = options
        self.codes = dict(CODES[options.codes])
        self._limits = {
            "atxfernoanswertimeout": str(options.no_answer_s),
            "atxferdropcall": str(0xFFFFFFFF) if options.drops_unanswered else "0",
        }
        self.parties = Parties(emit, self._set_up_features, TRANSFER_CONTEXTS[options.dialplan])
        self.database: dict[tuple[str, str], str] = {}  # AstDB, by family and key
        self.behaviours = dict.fromkeys((*ENDPOINTS, TRUNK), "answer")
        self._dials: list[Dial] = []
        self._consultations: list[Consultation] = []
        self._parked: list[Channel] = []
        self._called_back: dict[Channel, Bridge] = {}
        self._ringing_first: dict[Channel, str] = {}  # phones that are rung for a call of their own: the number
        self._conference: Bridge | None = None
        self._dialling_local: dict[Channel, Channel] = {}  # half 1 of a Local channel: who dials it

    def close(self) -> None:
        """Stop every timer; nothing happens any more."""
        for dial in self._dials:
            dial.stop_timer()
        for consultation in self._consultations:
            consultation.stop_timer()

    def place_call(self, endpoint: str, number: str) -> Channel:
        """Have a phone call a number."""
        channel = self.parties.add_phone(endpoint, endpoint, number, "Ring")
        self.run(channel, number)
        return channel

    def ring_first(self, endpoint: str, number: str) -> Channel:
        """Ring a phone; when it is picked up, call a number from it."""
        channel = self.parties.add_phone(endpoint, endpoint, number, "Down")
        self._ringing_first[channel] = number
        asyncio.get_running_loop().call_soon(self._ring_or_refuse, channel)
        return channel

    def pick_up(self, channel: Channel) -> None:
        """Pick up a ringing phone."""
        number = self._ringing_first.pop(channel, None)
        if number is not None:
            self.parties.set_state(channel, "Up")
            self.run(channel, number)
            return
        home = self._called_back.pop(channel, None)
        if home is not None:
            self.parties.set_state(channel, "Up")
            self.parties.dialled("DialEnd", None, channel, "ANSWER")
            self.parties.enter(channel, home)
            return
        next(dial for dial in self._dials if channel in dial.callees).answer(channel)

    def hang_up(self, channel: Channel) -> None:
        """Have the user hang up."""
        self.parties.emit("HangupRequest", [*channel.headers(), ("Cause", "16")])
        self.end(channel, "16")

    def hold(self, channel: Channel, is_on: bool) -> None:
        """Put a call on hold, or take it back."""
        self.parties.emit("Hold" if is_on else "Unhold", channel.headers())
        for member in channel.bridge.members if channel.bridge else ():
            if member is not channel:
                self.parties.play_music(member, is_on)

    def run(self, channel: Channel, number: str) -> None:
        """Let a channel run through the dialplan from this number on."""
        if channel.is_gone:
            return
        channel.extension = number
        phones = phones_of(number, self.options)
        of_freepbx = {freepbx.QUEUE: self._run_queue, freepbx.PARK: self._park, freepbx.FETCH: self._fetch}
        special = of_freepbx.get(number) if self.options.dialplan == "freepbx" else None
        if not has_number(PHONE_CONTEXTS[self.options.dialplan], number, self.options) or not (
            phones or special or number == MACHINE
        ):
            self.end(channel, "0")
        elif special is not None:
            special(channel)
        elif number == MACHINE:
            self._run_machine(channel, "MusicOnHold")
            self.parties.play_music(channel, True)
        elif number == CONFERENCE:
            self._meet(channel)
        elif number == PICK_UP:
            self._pick_up_elsewhere(channel)
        elif number == BEHIND_LOCAL:
            self._dial_local(channel, PHONE_BEHIND)
        elif number == ANSWERING_BUSY:
            self._answer(channel)
            asyncio.get_running_loop().call_later(ENDING_S, self._play_tone, channel, "Busy", "17")
        elif number in ENDING:
            self._run_ending(channel, ENDING[number])
        else:
            channel.number = DISPLAYED if number == DISPLAYING else channel.number
            phones = tuple(one for one in phones if self.database.get(("DND", one)) != "YES")
            if not phones:  # do-not-disturb: a tone, and no Dial at all
                self._play_tone(channel, "Busy", "17")
                return
            channel.application, channel.application_data = "Dial", number
            dial = Dial(self.parties, channel, self._connect, self._after_dial)
            self._dials.append(dial)
            dial.start({name: self.behaviours.get(name, "unavailable") for name in phones}, self.options.ring_s)

    def end(self, channel: Channel, cause: str) -> None:
        """End a channel, with all consequences for the others."""
        if channel.is_gone:
            return
        for dial in [dial for dial in self._dials if dial.caller is channel]:
            self._dials.remove(dial)
            dial.cancel()
        for dial in [dial for dial in self._dials if channel in dial.callees]:
            dial.refuse(channel, status_of(cause), cause)
            return
        consultation = self.consultation_of(channel)
        if consultation is not None and channel is consultation.transferrer:
            consultation.transferrer_gone()
            return
        if consultation is not None and channel in consultation.callers:
            consultation.caller_gone(channel)
            return
        bridge = channel.bridge
        self._ringing_first.pop(channel, None)
        self.parties.remove(channel, cause)
        dialler = self._dialling_local.pop(channel, None)
        if dialler is not None:
            self.end(dialler, cause)
        if channel.other_half is not None and not channel.other_half.is_gone:
            self.parties.emit("HangupRequest", [*channel.other_half.headers(), ("Cause", cause)])
            self.end(channel.other_half, cause)
        if consultation is not None:
            consultation.target_gone(cause)
        elif bridge is not None and bridge.is_conference:
            self._close_if_empty(bridge)
        elif bridge is not None:
            self._dissolve(bridge)

    def blind_transfer(self, channel: Channel, number: str) -> bool:
        """Send the other party of this channel into the dialplan; False when there is none."""
        bridge = channel.bridge
        if bridge is None or bridge.is_conference or self.consultation_of(channel) is not None:
            return False
        others = [member for member in bridge.members if member is not channel]
        result = [("Result", "Success"), *channel.headers("Transferer"), *others[0].headers("Transferee")]
        self.parties.emit("BlindTransfer", [*result, ("Extension", number), ("BridgeUniqueid", bridge.uniqueid)])
        for member in (channel, *others):
            self.parties.play_music(member, False)
            self.parties.leave(member)
        self.parties.destroy(bridge)
        self.parties.remove(channel, "16")
        for other in others:
            asyncio.get_running_loop().call_soon(self.run, other, number)
        return True

    def redirect(self, channel: Channel, number: str) -> None:
        """Take a channel out of its bridge, and send it to a number."""
        consultation = self.consultation_of(channel)
        bridge = channel.bridge
        self.parties.play_music(channel, False)
        self.parties.leave(channel)
        if consultation is not None and channel in consultation.callers:
            consultation.caller_left(channel)
        elif bridge is not None:
            self._dissolve(bridge)
        self.run(channel, number)

    def attended_transfer(self, channel: Channel, number: str) -> None:
        """Begin an attended transfer, as after its feature code; a wrong number ends it at once."""
        if channel.is_gone or channel.bridge is None or not self.options.allows_transfer:
            return
        if channel.bridge.is_conference:
            return
        if not has_number(TRANSFER_CONTEXTS[self.options.dialplan], number, self.options):
            self.parties.emit("Hold", channel.headers())
            self.parties.emit("Unhold", channel.headers())
            return
        consultation = Consultation(self, channel, number)
        self._consultations = [other for other in self._consultations if other.state != "over"] + [consultation]
        consultation.start()

    def code_of(self, channel: Channel | None, name: str) -> str:
        """Return a feature's code, or another setting, as it is now: the channel's own one, or else that of the PBX."""
        function = "FEATUREMAP" if name == "atxfer" else "FEATURE"
        own = channel.variables.get(f"{function}({name})") if channel else None
        usual = self._limits.get(name) or self.codes.get(name, "")
        return usual if own is None else own

    def consultation_of(self, channel: Channel) -> Consultation | None:
        """Return this channel's transfer under way, if any."""
        for consultation in self._consultations:
            if consultation.state != "over" and consultation.concerns(channel):
                return consultation
        return None

    def call_back(self, endpoint: str, caller: Channel, home: Bridge) -> None:
        """Ring a transferrer who hung up too early, to return the caller; once, then the caller is dropped."""
        behaviour = self.behaviours[endpoint]
        if behaviour == "unavailable":
            return  # as Asterisk does: nobody is rung, and the caller stays where he is
        if behaviour not in ("answer", "ring"):
            self.end(caller, "16")
            return
        channel = self.parties.add_phone(endpoint, endpoint, "", "Down")
        self.parties.connect_line(channel, caller.number)
        self.parties.set_state(channel, "Ringing")
        self.parties.dialled("DialBegin", None, channel)
        self._called_back[channel] = home
        if behaviour == "answer":
            self.pick_up(channel)

    def optimise(self, target: Channel) -> None:
        """Remove a Local channel: the phone behind it joins the bridge in front of it."""
        half = target.other_half
        if target.is_gone or half is None or target.bridge is None or half.bridge is None:
            return
        front, back = target.bridge, half.bridge
        if back.is_conference:
            return
        phone = next(member for member in back.members if member is not half)
        self.parties.leave(target)
        self.parties.enter(phone, front)
        self.parties.leave(half)
        self.parties.destroy(back)
        target.other_half = half.other_half = None
        for channel in (half, target):
            self.parties.remove(channel, "16")

    def _ring_or_refuse(self, channel: Channel) -> None:
        behaviour = self.behaviours.get(channel.endpoint, "unavailable")
        if channel.is_gone:
            return
        if behaviour not in ("answer", "ring"):
            self._ringing_first.pop(channel, None)
            self.end(channel, "17")
            return
        self.parties.set_state(channel, "Ringing")
        if behaviour == "answer":
            self.pick_up(channel)

    def _set_up_features(self, channel: Channel) -> None:
        """A channel comes into a bridge."""
        channel.start_code = self.code_of(channel, "atxfer")

    def _run_machine(self, channel: Channel, application: str) -> None:
        channel.application = application
        self._answer(channel)

    def _meet(self, channel: Channel) -> None:
        """Take a channel into the conference, which is made for the first one."""
        self._run_machine(channel, "ConfBridge")
        if self._conference is None:
            self._conference = self.parties.new_bridge(is_conference=True)
        self.parties.enter(channel, self._conference)

    def _close_if_empty(self, conference: Bridge) -> None:
        if not conference.members:
            self._conference = None
            self.parties.destroy(conference)

    def _pick_up_elsewhere(self, picker: Channel) -> None:
        for dial in self._dials:
            for callee in dial.callees:
                if callee.endpoint == PICKED_UP_AT:
                    dial.hand_over(callee, picker)
                    return
        self.end(picker, "0")

    def _run_queue(self, channel: Channel) -> None:
        """Answer, and call the queue's member."""
        self._answer(channel)
        channel.application, channel.application_data = "Queue", f"{freepbx.QUEUE},t"
        self._call_local(channel, freepbx.QUEUE_MEMBER, freepbx.FROM_QUEUE, "AppQueue")

    def _park(self, channel: Channel) -> None:
        self.parties.emit("ParkedCall", channel.headers("Parkee"))
        bridge = self.parties.new_bridge(is_holding=True)
        self.parties.enter(channel, bridge)
        self.parties.play_music(channel, True)
        self._parked.append(channel)

    def _fetch(self, channel: Channel) -> None:
        """Connect whoever dials this with the parked caller."""
        waiting = [one for one in self._parked if not one.is_gone]
        self._parked.clear()
        if not waiting:
            self.end(channel, "0")
            return
        self.parties.play_music(waiting[0], False)
        self.parties.leave(waiting[0])
        self._join(channel, waiting[0])

    def _dial_local(self, channel: Channel, number: str) -> None:
        """Dial a number through a Local channel that stays between."""
        context = TRANSFER_CONTEXTS[self.options.dialplan]
        channel.application, channel.application_data = "Dial", f"Local/{number}@{context}/n"
        self._call_local(channel, number, context, "AppDial")

    def _call_local(self, channel: Channel, number: str, context: str, application: str) -> None:
        first = self.parties.add_local(number, channel.number, channel.linkedid, context)
        first.application, first.application_data = application, "(Outgoing Line)"
        self._dialling_local[first] = channel
        self.parties.dialled("DialBegin", channel, first)
        if first.other_half is not None:
            asyncio.get_running_loop().call_soon(self.run, first.other_half, number)

    def _run_ending(self, channel: Channel, state: str) -> None:
        """Run a dialplan that hangs up by itself."""
        if state == "Up":
            self._answer(channel)
        elif state and channel.other_half is not None:
            self.parties.set_state(channel.other_half, state)
        asyncio.get_running_loop().call_later(ENDING_S, self._end_by_itself, channel)

    def _end_by_itself(self, channel: Channel) -> None:
        if not channel.is_gone:
            self.parties.emit("SoftHangupRequest", [*channel.headers(), ("Cause", "16")])
            self.end(channel, "16")

    def _answer(self, channel: Channel) -> None:
        """Answer this channel; half 2 of a Local channel passes that on."""
        self.parties.set_state(channel, "Up")
        half = channel.other_half
        if half is not None:
            self.parties.set_state(half, "Up")
            self.parties.dialled("DialEnd", None, half, "ANSWER")
            consultation = self.consultation_of(half)
            dialler = self._dialling_local.pop(half, None)
            if consultation is not None:
                consultation.target_answered()
            elif dialler is not None:
                self.parties.dialled("DialEnd", dialler, half, "ANSWER")
                self._join(dialler, half)

    def _connect(self, dial: Dial, callee: Channel) -> None:
        self._dials.remove(dial)
        self._join(dial.caller, callee)

    def _join(self, caller: Channel, callee: Channel) -> None:
        self._answer(caller)
        bridge = self.parties.new_bridge()
        self.parties.enter(callee, bridge)
        self.parties.enter(caller, bridge)

    def _after_dial(self, dial: Dial, status: str, cause: str) -> None:
        """Continue the dialplan after an unanswered Dial: play the busy tone, or hang up."""
        self._dials.remove(dial)
        channel = dial.caller
        if channel.extension == WITH_VOICEMAIL:
            self._run_machine(channel, "VoiceMail")
            return
        if not self.options.plays_busy:
            self.parties.emit("SoftHangupRequest", [*channel.headers(), ("Cause", "16")])
            self.end(channel, cause)
            return
        is_off = self.options.dialplan == "freepbx" and status == "CHANUNAVAIL"
        self._play_tone(channel, "Congestion" if is_off else "Busy", cause)

    def _play_tone(self, channel: Channel, application: str, cause: str) -> None:
        """Play a tone for a while to whoever is on this channel, and then hang up."""
        if channel.is_gone:
            return
        channel.application = application
        if channel.other_half is not None:
            self.parties.dialled("DialEnd", None, channel.other_half, application.upper())
        asyncio.get_running_loop().call_later(BUSY_S, self.end, channel, cause)

    def _dissolve(self, bridge: Bridge) -> None:
        """Somebody left a bridge for good: remove the last one too."""
        if len(bridge.members) > 1:
            return
        for member in tuple(bridge.members):
            self.parties.leave(member)
            self.end(member, "16")
        self.parties.destroy(bridge)
