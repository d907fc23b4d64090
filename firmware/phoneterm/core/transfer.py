"""Transfers, from the first key to the last word about them: what may start, what is sent, what the user is told.

Does not read messages or own the link; `terminal.py` brings both. Every method appends its actions to the list `out`
of the terminal. A transfer is checked when its code is complete, at each digit (is any class still possible that is
allowed?) and when the number is complete; it is bound to the call of its first key. Nothing is kept to be sent later.
Times are milliseconds.
"""

from phoneterm.core import actions, call, collector, feedback, operations, outcomes

DEAF_MS = 250  # a stall that may have hidden more than one key: the next one is not the first


class Transfer:
    """The call, the sequence and the commands of one terminal. `config` may be replaced while no sequence is open."""

    def __init__(self, link, permissions, config, out):
        self._out = out
        self._link = link
        self._permissions = permissions
        self._config = config
        self._first_ms = 0
        self._first_call = None
        self._moving = None  # id of the transfer command that the state of the call follows
        self._accepted = None  # id of a command that the PBX was asked for and whose end has not been heard
        self.collector = collector.Collector(config)
        self.call = call.Call()
        self.feedback = feedback.Feedback(out)
        self.is_starting = True
        self.is_keypad_faulty = False
        self.tainted = 0
        self._has_stalled = False  # since the last time that passed
        self._is_deaf = False  # nothing was heard for so long that the next key may belong to others

    def configure(self, config):
        """Use other settings; ValueError while a sequence is open."""
        self.collector.configure(config)
        self._config = config

    def on_time(self, elapsed_ms):
        """Let time pass: timers of the sequence, commands nobody answered, messages on the display."""
        self.feedback.on_time(elapsed_ms)
        event = self.collector.close("key-it-again") if self._has_stalled else None
        event = event or self.collector.on_time(elapsed_ms)
        if event is not None:
            self._take(event)
        if self._has_stalled and elapsed_ms >= DEAF_MS:
            self._is_deaf = True
            self.collector.keep_out()
        self._has_stalled = False
        late = self._link.late_command(elapsed_ms)
        if late is not None:
            self._move(late, "timed-out")
            self._tell_reason("no-confirmation")

    def on_stall(self):
        """Take that a key may have been missed in the time that is told next: there may be a hole in what is keyed."""
        self._has_stalled = True

    def on_press(self, legend):
        """Take a pressed key."""
        if self._has_stalled:
            self.on_time(0)  # a key of the very look that told it
        was_open = self.collector.is_open
        if not was_open and self.call.is_consulting() and self._steer(legend):
            return
        event = self.collector.on_press(legend)
        is_lost = self._is_deaf and self.collector.is_quiet
        self._is_deaf = False
        if event is None:
            if is_lost:
                self._tell_reason("key-it-again" if self._link.is_usable() else "no-link")
            return
        if not was_open:
            self._first_ms = self._link.session_ms
            self._first_call = self.call.ref
        self._take(event)

    def on_call(self, document):
        """Take what the bridge says of the call."""
        was_consulting = self.call.is_consulting() and document["call"] == self.call.ref
        before = (self.call.state, self.call.ref)
        if document["call"] != self.call.ref:
            self._moving = self._accepted = None
        self.call.ref = document["call"]
        self.call.move("call-" + document["state"])
        if self.collector.kind is not None:
            reason = self._call_obstacle()
            if reason is not None:
                self.interrupt(reason)
        self.settle()
        reason = document["reason"]
        if was_consulting and document["state"] == "talking" and reason != "caller-gone":
            self._tell_result("returned", reason)
        elif reason is not None and before != (self.call.state, self.call.ref):
            self._tell_reason(reason)

    def on_result(self, document):
        """Take a result and say whether it was about one of our commands."""
        op, _ = self._link.answer(document["id"])
        if op is None:
            return False
        state = document["state"]
        self._accepted = document["id"] if state == "accepted" else None
        self._move(document["id"], state)
        self.settle()
        self._tell_result(operations.find(op)[operations.ENDS] if state == "done" else state, document["reason"])
        return True

    def on_undelivered(self, name):
        """Take that the broker did not acknowledge a command: it may or may not have got it."""
        _, was_waiting = self._link.answer(name)
        if was_waiting:
            self._move(name, "unknown")
            self._tell_reason("not-confirmed")

    def interrupt(self, reason):
        """End the open sequence aloud, if there is one."""
        if self.collector.close(reason) is not None:
            self._tell_reason(reason)

    def close_silently(self):
        """End the open sequence without a sound, if there is one."""
        if self.collector.close("hook") is not None:
            self.settle()
            self.feedback.rest()

    def lose_session(self, reason):
        """End what needed the session: the open sequence, and the waiting for answers and for the end of a transfer."""
        self.interrupt(reason)
        is_waiting = self._link.give_up()
        if is_waiting or self._accepted is not None:
            self._accepted = None
            self.call.move("unknown")
            self._tell_reason("not-confirmed" if is_waiting else "unknown")

    def settle(self):
        """Let the signal stand that says how things are now."""
        self.feedback.stand(self._standing())

    def _standing(self):
        if self.collector.kind is not None:
            return "open"
        if not self._link.is_usable():
            return "starting" if self.is_starting else "no-link"
        if self.call.is_consulting():
            return "consulting"
        return "keypad-fault" if self.is_keypad_faulty else "ready"

    def _take(self, event):
        if event == collector.KEYED:
            self._progress()
        elif event == collector.OPENED:
            self._open()
        elif isinstance(event, collector.Dialled):
            self._dial(event)
        else:
            self.tainted += event == "key-it-again"
            self._tell_reason(event)

    def _open(self):
        kind = self.collector.kind
        reason = self._obstacle(kind)
        if reason is not None:
            self.interrupt(reason)
        else:
            self.settle()
            self.feedback.show(operations.find(kind)[operations.TITLE], "")

    def _progress(self):
        kind = self.collector.kind
        self._out.append(actions.Indicate("key"))
        if kind is None:
            return
        for name in self.collector.possible_classes():
            if self._permissions.allows(kind, name):
                self.feedback.show(operations.find(kind)[operations.TITLE], self.collector.keyed)
                return
        self.interrupt("destination")

    def _dial(self, event):
        reason = self._obstacle(event.kind)
        is_numbered = event.number is not None
        if reason is None and is_numbered and not self._permissions.allows(event.kind, event.number_class):
            reason = "destination"
        if reason is not None:
            self._tell_reason(reason)
            return
        name = self._send(event.kind, event.number, self._first_ms, self._first_call)
        if name is not None:
            self._moving = name
            self.call.move("sent")
            self.settle()
            self.feedback.tell(None, "Sent", event.number or "")

    def _steer(self, legend):
        """Take the commit, cancel or swap key of a consultation and say whether it was one."""
        roles = self._config.roles
        role = {roles.cancel: "cancel", roles.commit: "commit", roles.swap: "swap"}.get(legend)
        operation = role and operations.find(role, operations.KEYED)
        if not operation or (self.collector.is_quiet and legend != roles.cancel):
            return False  # a commit key after a number that was complete is no command
        op = operation[operations.NAME]
        reason = self._right_obstacle(op)
        if reason is not None:
            self._tell_reason(reason)
        elif self._send(op, None, self._link.session_ms, self.call.ref):
            self._out.append(actions.Indicate("key"))
        return True

    def _send(self, op, number, first_ms, call):
        """Send a command and return its id, or None when too many are waiting."""
        if self._link.is_full():
            self._tell_reason("rate")
            return None
        publish = self._link.command(op, number, first_ms, call)
        self._out.append(publish)
        return publish.ref

    def _obstacle(self, kind):
        """Return why a transfer of this kind cannot be, or None."""
        return self._right_obstacle(kind) or self._call_obstacle()

    def _right_obstacle(self, op):
        """Return why this terminal cannot have an operation carried out at all, or None."""
        if not self._link.is_usable():
            return "no-link"
        if op not in self._config.ops:
            return "unsupported"
        return None if self._permissions.allows_kind(op) else "permission"

    def _call_obstacle(self):
        return self.call.obstacle() or (None if self.call.ref == self._first_call else "no-call")

    def _move(self, name, event):
        """Let the call follow the transfer keyed last in it; what comes late of another one is only told."""
        if name == self._moving:
            self.call.move(event)

    def _tell_reason(self, reason):
        if reason == "no-link":
            self.is_starting = False
        self.settle()
        signal, words = outcomes.of_reason(reason)
        self.feedback.tell(signal, words[0].upper() + words[1:], "")

    def _tell_result(self, state, reason):
        signal, line1, line2 = outcomes.of_result(state, reason)
        self.feedback.tell(signal, line1, line2)
