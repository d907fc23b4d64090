"""The terminal's relation to the bridge: link, session, the bridge's own state, and the messages that it sends there.

Does not decide what to send or when, except hello, which is repeated until a session begins.
A session dies with the link, with the bridge and with the next hello. Times are milliseconds since the session
arrived, at most a day: then a new session is requested, so that times always fit the contract.
The last MOST_COMMANDS commands are remembered beyond their session, so that a late result can still be shown; results
of any other command are ignored.
"""

from phoneterm.core import actions, messages, operations
from phoneterm.core.causes import NO_BRIDGE, NO_PBX, WRONG_KEY

PUBLISH_MS = 5000  # for all but commands: how long a message may take to reach the broker
ANSWER_MS = 3000  # a command that nobody has accepted by then is given up
MOST_COMMANDS = 4
_HELLO_EVERY_MS = 5000
_UNHEARD_HELLOS = 2  # so many without an answer mean that nobody takes them
_SESSION_MOST_MS = 86400000
# The parts of a command; 0 left: it no longer waits.
_ID = 0
_OP = 1
_LEFT_MS = 2


class Link:
    """What stands between the terminal and a transfer. `session_ms` is the time since the session arrived."""

    def __init__(self, identity):
        self._identity = identity
        self.is_up = False
        self.bridge_state = None  # not heard yet
        self.session = None
        self.session_ms = 0
        self._count = 0  # of the session's commands
        self._commands = []  # the latest commands, oldest first
        self._since_hello_ms = 0
        self._hellos = 0  # without an answer

    def is_usable(self):
        """Say whether a command sent now could be carried out."""
        return self.session is not None and self.bridge_state not in ("degraded", "offline")

    def on_link(self, is_up):
        """Follow the connection: without it there is no session, and nothing is known about the bridge."""
        self.is_up = is_up
        self._hellos = 0
        if not is_up:
            self.bridge_state = self.session = None

    def find_cause(self):
        """Return what keeps it from a transfer: one of core.causes, 0 for nothing, None when that is not known yet."""
        state = self.bridge_state
        if self.session is not None:
            return NO_PBX if state == "degraded" else 0
        if self.is_up and state == "offline":
            return NO_BRIDGE
        if self._hellos < _UNHEARD_HELLOS:
            return None
        return WRONG_KEY if state else NO_BRIDGE

    def on_bridge_state(self, state):
        """Follow the bridge's state; return whether it has come back, so hello is due."""
        is_back = self.is_up and self.bridge_state == "offline" and state == "online"
        self.bridge_state = state
        if state == "offline":
            self.session = None
        return is_back

    def on_time(self, elapsed_ms):
        """Let time pass; return whether hello is due because no session has come or this one is a day old."""
        if not self.is_up:
            return False
        self._since_hello_ms += elapsed_ms
        if self.session is not None:
            self.session_ms += elapsed_ms
        is_wanted = self.session is None or self.session_ms >= _SESSION_MOST_MS
        return is_wanted and self._since_hello_ms >= _HELLO_EVERY_MS

    def begin_session(self, document):
        """Begin a session if it answers this boot's hello, and say whether it does."""
        if document["boot"] != self._identity.boot:
            return False
        self.session = document["session"]
        self.session_ms = 0
        self._count = self._hellos = 0
        return True

    def hello(self):
        """Return the hello, which ends the bridge's old session."""
        identity = self._identity
        self._since_hello_ms = 0
        self._hellos += 1
        fields = {"boot": identity.boot, "fw": identity.fw, "board": identity.board,
                  "wire": [messages.VERSION, messages.VERSION], "caps": list(operations.names() + ("refusals",)),
                  "crash": identity.crash}  # fmt: skip
        return self.publish(messages.HELLO, fields)

    def state(self, state):
        """Return the retained message that this boot is "online" or "offline"."""
        fields = {"boot": self._identity.boot, "state": state}
        return self._message(messages.STATE, fields, 1, True, None, PUBLISH_MS)

    def publish(self, kind, fields):
        """Return a message of any kind whose outcome does not matter; telemetry is not acknowledged."""
        return self._message(kind, fields, 0 if kind == messages.TELEMETRY else 1, False, None, PUBLISH_MS)

    def command(self, op, number, first_ms, call):
        """Return the next command of this session; its `ref` is its id. ValueError while `is_full`."""
        if self.is_full():
            raise ValueError("%d commands are waiting" % MOST_COMMANDS)
        self._count += 1
        name = "%s.%d" % (self.session, self._count)
        self._commands = self._commands[1 - MOST_COMMANDS :] + [[name, op, ANSWER_MS]]
        fields = {"id": name, "op": op, "number": number, "first_ms": first_ms, "since_ms": self.session_ms,
                  "call": call}  # fmt: skip
        return self._message(messages.COMMAND, fields, 1, False, name, ANSWER_MS)

    def is_full(self):
        """Say whether another command would displace one that still waits."""
        return len(self._commands) == MOST_COMMANDS and self._commands[0][_LEFT_MS] > 0

    def late_command(self, elapsed_ms):
        """Let time pass; return the id of a command that has now waited too long, or None."""
        late = None
        for command in self._commands:
            if command[_LEFT_MS] > 0:
                command[_LEFT_MS] -= elapsed_ms
                if command[_LEFT_MS] <= 0:
                    late = command[_ID]
        return late

    def answer(self, name):
        """Stop waiting for a command; return (operation, whether it waited), or (None, False) when it is not ours."""
        for command in self._commands:
            if command[_ID] == name:
                left_ms = command[_LEFT_MS]
                command[_LEFT_MS] = 0
                return command[_OP], left_ms > 0
        return None, False

    def give_up(self):
        """Stop waiting for all commands; say whether one did wait."""
        was_waiting = False
        for command in self._commands:
            was_waiting = was_waiting or command[_LEFT_MS] > 0
            command[_LEFT_MS] = 0
        return was_waiting

    def _message(self, kind, fields, *how):
        topic = messages.topic_of(self._identity.base, self._identity.tid, kind)
        return actions.Publish(topic, messages.encode(kind, topic, self._identity.key, fields), *how)
