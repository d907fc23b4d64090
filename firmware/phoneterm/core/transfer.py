"""Transfers, from the first key to the last word about them: what may start, what is sent, what the user is told.

Does not read messages or own the link; `terminal.py` brings both. Every method appends actions to the list it is
given. A transfer is checked when its code is complete, at each digit (is any class still possible that is allowed?)
and again when the number is complete; it is bound to the call of its first key. Nothing is kept to be sent later.
Times are milliseconds.
"""

from phoneterm.core import outcomes
from phoneterm.core.actions import Indicate
from phoneterm.core.call import Call
from phoneterm.core.collector import Cancelled, Collector, Dialled, Opened, Progressed
from phoneterm.core.commands import Commands
from phoneterm.core.feedback import Feedback
from phoneterm.core.messages import Rejected

MOST_GAP_MS = 60  # a longer gap between two scans may have hidden a key
_TRANSFERS = ("blind", "attended")
_TITLES = {"blind": "Transfer to", "attended": "Consult with"}


class Transfer:
    """The call, the sequence and the commands of one terminal. `config` may be replaced while no sequence is open."""

    def __init__(self, link, permissions, config):
        self._link = link
        self._permissions = permissions
        self._config = config
        self._commands = Commands()
        self._first_ms = 0
        self._first_call = None
        self.collector = Collector(config)
        self.call = Call()
        self.feedback = Feedback()
        self.is_starting = True
        self.is_keypad_faulty = False
        self.tainted = 0

    def configure(self, config):
        """Use other settings; ValueError while a sequence is open."""
        self.collector.configure(config)
        self._config = config

    def on_time(self, elapsed_ms, actions):
        """Let time pass: timers of the sequence, commands nobody answered, messages on the display."""
        event = None
        if elapsed_ms > MOST_GAP_MS:
            event = self.collector.taint()
        event = event or self.collector.on_time(elapsed_ms)
        if event is not None:
            self._take(event, actions)
        late = self._commands.on_time(elapsed_ms)
        if late is not None:
            self._move(late, "timed-out")
            self._tell_reason("no-confirmation", actions)
        self.feedback.on_time(elapsed_ms, actions)

    def on_press(self, legend, actions):
        """Take a pressed key."""
        was_open = self.collector.is_open
        if not was_open and self.call.is_consulting() and self._steer(legend, actions):
            return
        event = self.collector.on_press(legend)
        if event is None:
            return
        if not was_open:
            self._first_ms = self._link.session_ms
            self._first_call = self.call.ref
        self._take(event, actions)

    def on_call(self, document, actions):
        """Take what the bridge says of the call."""
        was_consulting = self.call.is_consulting()
        before = (self.call.state, self.call.ref)
        self.call.ref = document["call"]
        self.call.move("call-" + document["state"])
        if self.collector.kind is not None:
            reason = self._call_obstacle()
            if reason is not None:
                self.interrupt(reason, actions)
        self.settle(actions)
        reason = document["reason"]
        if was_consulting and document["state"] == "talking" and reason != "caller-gone":
            self._tell_result("returned", reason, actions)
        elif reason is not None and before != (self.call.state, self.call.ref):
            self._tell_reason(reason, actions)

    def on_result(self, document, actions):
        """Take a result and say whether it was about one of our commands."""
        known = self._commands.answer(document["id"])
        if known is None:
            return False
        op = known[0]
        state = document["state"]
        if state == "done" and op == "cancel":
            state = "returned"
        if op in _TRANSFERS or (op != "swap" and state in ("done", "returned")):
            self.call.move(state)
        self.settle(actions)
        if op == "swap" and state == "done":
            self.feedback.tell("accepted", "Swapped", "", actions)
        else:
            self._tell_result(state, document["reason"], actions)
        return True

    def on_undelivered(self, name, actions):
        """Take that the broker did not acknowledge a command: it may or may not have got it."""
        op, was_waiting = self._commands.answer(name)
        if was_waiting:
            self._move(op, "unknown")
            self._tell_reason("not-confirmed", actions)

    def interrupt(self, reason, actions):
        """End the open sequence aloud, if there is one."""
        if self.collector.close(reason) is not None:
            self._tell_reason(reason, actions)

    def close_silently(self, actions):
        """End the open sequence without a sound, if there is one."""
        if self.collector.close("hook") is not None:
            self.settle(actions)
            self.feedback.rest(actions)

    def lose_session(self, reason, actions):
        """End what needed the session: the open sequence, and the waiting for answers."""
        self.interrupt(reason, actions)
        if self._commands.give_up():
            self.call.move("unknown")
            self._tell_reason("not-confirmed", actions)

    def settle(self, actions):
        """Let the signal stand that says how things are now."""
        self.feedback.stand(self._standing(), actions)

    def _standing(self):
        if self.collector.kind is not None:
            return "open"
        if not self._link.is_usable():
            return "starting" if self.is_starting else "no-link"
        if self.call.is_consulting():
            return "consulting"
        return "keypad-fault" if self.is_keypad_faulty else "ready"

    def _take(self, event, actions):
        if isinstance(event, Progressed):
            self._progress(event.keyed, actions)
        elif isinstance(event, Opened):
            reason = self._obstacle(event.kind)
            if reason is not None:
                self.interrupt(reason, actions)
            else:
                self.settle(actions)
                self.feedback.show(_TITLES[event.kind], "", actions)
        elif isinstance(event, Dialled):
            self._dial(event, actions)
        elif isinstance(event, Cancelled):
            self._tell_reason("cancel", actions)
        elif isinstance(event, Rejected):
            self.tainted += event.reason == "key-it-again"
            self._tell_reason(event.reason, actions)

    def _progress(self, keyed, actions):
        kind = self.collector.kind
        actions.append(Indicate("key"))
        if kind is None:
            return
        if not any(self._permissions.allows(kind, name) for name in self.collector.possible_classes()):
            self.interrupt("destination", actions)
            return
        self.feedback.show(_TITLES[kind], keyed, actions)

    def _dial(self, event, actions):
        reason = self._obstacle(event.kind)
        if reason is None and not self._permissions.allows(event.kind, event.number_class):
            reason = "destination"
        if reason is not None:
            self._tell_reason(reason, actions)
            return
        if self._send(event.kind, event.number, self._first_ms, self._first_call, actions):
            self.call.move("sent")
            self.settle(actions)
            self.feedback.tell(None, "Sent", event.number, actions)

    def _steer(self, legend, actions):
        """Take the commit, cancel or swap key of a consultation and say whether it was one."""
        roles = self._config.roles
        if legend == roles.cancel:
            op = "cancel"
        elif self.collector.is_quiet:  # a commit key after a number that was complete is no command
            return False
        elif legend == roles.commit:
            op = "complete"
        elif legend == roles.swap:
            op = "swap"
        else:
            return False
        reason = self._link_obstacle(op)
        if reason is not None:
            self._tell_reason(reason, actions)
        elif self._send(op, None, self._link.session_ms, self.call.ref, actions):
            actions.append(Indicate("key"))
        return True

    def _send(self, op, number, first_ms, call, actions):
        """Send a command and say whether it went out."""
        if self._commands.is_full():
            self._tell_reason("rate", actions)
            return False
        publish = self._link.command(op, number, first_ms, call)
        self._commands.add(publish.ref, op)
        actions.append(publish)
        return True

    def _obstacle(self, kind):
        """Return why a transfer of this kind cannot be, or None."""
        reason = self._link_obstacle(kind)
        if reason is None and not self._permissions.allows_kind(kind):
            reason = "permission"
        return reason or self._call_obstacle()

    def _link_obstacle(self, op):
        if not self._link.is_usable():
            return "no-link"
        return None if op in self._config.ops else "unsupported"

    def _call_obstacle(self):
        return self.call.obstacle() or (None if self.call.ref == self._first_call else "no-call")

    def _move(self, op, event):
        if op in _TRANSFERS:
            self.call.move(event)

    def _tell_reason(self, reason, actions):
        if reason == "no-link":
            self.is_starting = False
        self.settle(actions)
        words = outcomes.words_of(reason)
        self.feedback.tell(outcomes.signal_of(reason), words[0].upper() + words[1:], "", actions)

    def _tell_result(self, state, reason, actions):
        signal, line1, line2 = outcomes.of_result(state, reason)
        self.feedback.tell(signal, line1, line2, actions)
