"""Control of the call from the keypad: what may start, what is sent, and exactly what the user is told.

Does not read messages or own the link, permissions or face; `terminal.py` does and passes them in. Every `on_` method
returns the actions to carry out, in order. It returns the constant () when there are none, so an idle tick takes no
memory. A transfer is checked when its code is complete, at each digit (is any allowed class still possible?) and when
the number is complete. It is bound to the call of its first key. Nothing is kept to be sent later.
Times are milliseconds.
"""

from phoneterm.core import actions, call, collector, operations, outcomes

DEAF_MS = 250  # a stall this long may have hidden several keys: the next key may not be the first
STARTING_MS = 15000  # without a session by then, "starting" becomes "no link"


class CallControl:
    """The call, the sequence and the commands of one terminal.

    `tainted`: sequences that a stall has ended. `refusal`: the last thing that this phone has refused by itself or got
    no answer to, as (how many so far, when, reason, operation or None). `now_s`: since the start, told by the terminal.
    """

    def __init__(self, link, permissions, feedback, config):
        self._link = link
        self._permissions = permissions
        self._feedback = feedback
        self._config = config
        self._collector = collector.Collector(config)
        self._call = call.Call()
        self._first_ms = 0  # of the open sequence's first key, since the session arrived
        self._first_call = None
        self._moving = None  # id of the transfer command that the call's state follows
        self._accepted = None  # id of a command that was sent to the PBX and has not ended
        self._starting_ms = STARTING_MS  # left of it
        self._is_keypad_faulty = False
        self._has_stalled = False  # since the last time that passed
        self._is_deaf = False  # a long stall: the next key may be in the middle of a number
        self.tainted = self.now_s = 0
        self.refusal = (0, 0, None, None)

    @property
    def is_sequence_open(self):
        """Say whether a sequence is open, from the first key of its code on."""
        return self._collector.is_open

    def configure(self, config):
        """Use other settings; ValueError while a sequence is open."""
        self._collector.configure(config)
        self._config = config

    def on_time(self, elapsed_ms):
        """Let time pass: timers of the sequence, unanswered commands, messages on the display."""
        done = self._feedback.on_time(elapsed_ms)
        event = self._collector.close("key-it-again") if self._has_stalled else None
        event = event or self._collector.on_time(elapsed_ms)
        if event is not None:
            done += self._follow(event)
        if self._has_stalled and elapsed_ms >= DEAF_MS:
            self._is_deaf = True
            self._collector.keep_out()
        self._has_stalled = False
        late = self._link.late_command(elapsed_ms)
        if late is not None:
            self._move(late, "timed-out")
            done += self._announce_reason("no-confirmation")
        if self._starting_ms > 0:
            self._starting_ms -= elapsed_ms
        return done + self._settle()

    def on_stall(self):
        """Note that a key may have been missed in the time that is told next, so the sequence may have a hole."""
        self._has_stalled = True
        return ()

    def on_press(self, legend):
        """Follow a pressed key."""
        done = self.on_time(0) if self._has_stalled else ()  # a key of the same scan that reported the stall
        if not self._collector.is_open and self._call.is_consulting():
            op = self._operation_of(legend)
            if op is not None:
                return done + self._steer(op)
        return done + self._collect(legend)

    def on_release(self):
        """Follow the release of any key."""
        self._collector.on_release()
        return ()

    def on_hang_up(self):
        """End the open sequence without a sound, if there is one."""
        if self._collector.close("hook") is None:
            return ()
        return self._settle() + self._feedback.rest()

    def on_keypad_fault(self, is_faulty):
        """Note whether any key is stuck."""
        self._is_keypad_faulty = is_faulty
        return self._settle()

    def on_link(self, is_up):
        """Note that the link is up or lost; without it nothing is known about the call."""
        if is_up:
            return ()
        self._starting_ms = 0
        return self._forget_call()

    def on_bridge_state(self, state):
        """Note the bridge's state: "online", "degraded" or "offline"."""
        if state == "offline":
            return self._forget_call()
        if state == "degraded":
            return self._interrupt("no-link") + self._settle()
        return self._settle()

    def on_session(self, is_renewed):
        """Go on with a new session; whatever depended on the previous one ends."""
        ended = self._end_session("bad-session") if is_renewed else ()
        self._starting_ms = 0
        return ended + self._settle()

    def on_call(self, document):
        """Follow what the bridge says about the call."""
        call, state, reason = self._call, document["state"], document["reason"]
        was_consulting = call.is_consulting() and document["call"] == call.ref
        before = (call.state, call.ref)
        if document["call"] != call.ref:
            self._moving = self._accepted = None
        call.ref = document["call"]
        call.move("call-" + state)
        obstacle = None if self._collector.kind is None else self._call_obstacle()
        done = () if obstacle is None else self._interrupt(obstacle)
        done += self._settle()
        if was_consulting and state == "talking" and reason != "caller-gone":
            return done + self._announce_result("returned", reason)
        if reason is not None and before != (call.state, call.ref):
            return done + self._announce_reason(reason, True)
        return done

    def on_result(self, document):
        """Show the result of a command; () only when it is not one of ours."""
        op, _ = self._link.answer(document["id"])
        if op is None:
            return ()
        state = document["state"]
        self._accepted = document["id"] if state == "accepted" else None
        self._move(document["id"], state)
        now_so = operations.find(op)[operations.ENDS] if state == "done" else state
        return self._settle() + self._announce_result(now_so, document["reason"])

    def on_undelivered(self, name):
        """Note that the broker did not acknowledge a command: it may or may not have received it."""
        _, was_waiting = self._link.answer(name)
        if not was_waiting:
            return ()
        self._move(name, "unknown")
        return self._announce_reason("not-confirmed")

    def _collect(self, legend):
        """Give a key to the sequence."""
        was_open = self._collector.is_open
        event = self._collector.on_press(legend)
        is_lost = self._is_deaf and self._collector.is_quiet
        self._is_deaf = False
        if event is None:
            if is_lost:
                return self._announce_reason("key-it-again" if self._link.is_usable() else "no-link")
            return ()
        if not was_open:
            self._first_ms = self._link.session_ms
            self._first_call = self._call.ref
        return self._follow(event)

    def _follow(self, event):
        """Act on an event of the collector."""
        if event == collector.KEYED:
            return self._progress()
        if event == collector.OPENED:
            return self._open()
        if isinstance(event, collector.Dialled):
            return self._dial(event)
        self.tainted += event == "key-it-again"
        return self._announce_reason(event)

    def _open(self):
        kind = self._collector.kind
        reason = self._obstacle(kind)
        if reason is not None:
            return self._interrupt(reason)
        return self._settle() + self._feedback.show(operations.find(kind)[operations.TITLE], "")

    def _progress(self):
        kind = self._collector.kind
        done = (actions.Indicate("key"),)
        if kind is None:
            return done
        for name in self._collector.possible_classes():
            if self._permissions.allows(kind, name):
                return done + self._feedback.show(operations.find(kind)[operations.TITLE], self._collector.keyed)
        return done + self._interrupt("destination")

    def _dial(self, event):
        reason = self._obstacle(event.kind)
        is_numbered = event.number is not None
        if reason is None and is_numbered and not self._permissions.allows(event.kind, event.number_class):
            reason = "destination"
        if reason is None and self._link.is_full():
            reason = "rate"
        if reason is not None:
            return self._announce_reason(reason)
        command = self._link.command(event.kind, event.number, self._first_ms, self._first_call)
        self._moving = command.ref
        self._call.move("sent")
        return (command,) + self._settle() + self._feedback.announce(None, "Sent", event.number or "")

    def _operation_of(self, legend):
        """Return what a key does to a consultation, or None."""
        roles = self._config.roles
        role = {roles.cancel: "cancel", roles.commit: "commit", roles.swap: "swap"}.get(legend)
        operation = role and operations.find(role, operations.KEYED)
        if not operation or (self._collector.is_quiet and legend != roles.cancel):
            return None  # a commit key right after a complete number is no command
        return operation[operations.NAME]

    def _steer(self, op):
        """Ask for the commit, cancel or swap of a consultation."""
        self._collector.ended = op
        reason = self._right_obstacle(op)
        if reason is None and self._link.is_full():
            reason = "rate"
        if reason is not None:
            return self._announce_reason(reason)
        command = self._link.command(op, None, self._link.session_ms, self._call.ref)
        return (command, actions.Indicate("key"))

    def _obstacle(self, kind):
        """Return why a transfer of this kind is not possible, or None."""
        return self._right_obstacle(kind) or self._call_obstacle()

    def _right_obstacle(self, op):
        """Return why this terminal can never have this operation carried out, or None."""
        if not self._link.is_usable():
            return "no-link"
        if op not in self._config.ops:
            return "unsupported"
        return None if self._permissions.allows_kind(op) else "permission"

    def _call_obstacle(self):
        return self._call.obstacle() or (None if self._call.ref == self._first_call else "no-call")

    def _interrupt(self, reason):
        """End the open sequence audibly, if there is one."""
        if self._collector.close(reason) is None:
            return ()
        return self._announce_reason(reason)

    def _forget_call(self):
        """End the session, and forget what was known about the call."""
        ended = self._end_session("no-link")
        self._call.move("link-lost")
        self._call.ref = None
        return ended + self._settle()

    def _end_session(self, reason):
        """End what depended on the session: the open sequence, and waiting for answers or the end of a transfer."""
        ended = self._interrupt(reason)
        is_waiting = self._link.give_up()
        if not is_waiting and self._accepted is None:
            return ended
        self._accepted = None
        self._call.move("unknown")
        return ended + self._announce_reason("not-confirmed" if is_waiting else "unknown", not is_waiting)

    def _move(self, name, event):
        """Let the call follow its latest transfer; late news of another transfer is only shown."""
        if name == self._moving:
            self._call.move(event)

    def _settle(self):
        """Show the standing signal for the present state."""
        return self._feedback.stand(self._standing())

    def _standing(self):
        if self._collector.kind is not None:
            return "open"
        if not self._link.is_usable():
            return "starting" if self._starting_ms > 0 else "no-link"
        if self._call.is_consulting():
            return "consulting"
        return "keypad-fault" if self._is_keypad_faulty else "ready"

    def _announce_reason(self, reason, is_known=False):
        """Say why not; it counts as this phone's own refusal unless the bridge knows of it, or the user wanted it."""
        if not is_known and reason != "cancel":
            self.refusal = (self.refusal[0] + 1, self.now_s, reason, self._collector.ended)
        if reason == "no-link":
            self._starting_ms = 0
        signal, words = outcomes.of_reason(reason)
        line1, line2 = (reason == "no-link" and self._feedback.cause) or (words[0].upper() + words[1:], "")
        return self._settle() + self._feedback.announce(signal, line1, line2)

    def _announce_result(self, state, reason):
        signal, line1, line2 = outcomes.of_result(state, reason)
        return self._feedback.announce(signal, line1, line2)
