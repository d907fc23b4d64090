"""The terminal's standing with the bridge: link, session and the bridge's own state; and what the terminal says to it.

Does not decide what to say or when, except hello, which begins a session and is repeated until one begins.
A session dies with the link, with the bridge and with the next hello. Times are milliseconds since the session
arrived, at most a day: then a new one is asked for, so that they always fit the contract.
"""

from phoneterm.core import messages
from phoneterm.core.actions import Publish
from phoneterm.core.commands import ANSWER_MS

PUBLISH_MS = 5000  # for all but commands: how long a message may take to reach the broker
_HELLO_EVERY_MS = 5000
_SESSION_MOST_MS = 86400000


class Link:
    """What stands between the terminal and a transfer. `session_ms` is the time since the session arrived."""

    def __init__(self, identity):
        self._identity = identity
        self.is_up = False
        self.bridge_state = None  # not heard yet
        self.session = None
        self.session_ms = 0
        self._commands = 0
        self._since_hello_ms = 0

    def is_usable(self):
        """Say whether a command sent now could be carried out."""
        return self.session is not None and self.bridge_state not in ("degraded", "offline")

    def on_time(self, elapsed_ms):
        """Let time pass; return whether hello is due, because no session has come or this one is a day old."""
        if not self.is_up:
            return False
        self._since_hello_ms += elapsed_ms
        if self.session is not None:
            self.session_ms += elapsed_ms
        is_wanted = self.session is None or self.session_ms >= _SESSION_MOST_MS
        return is_wanted and self._since_hello_ms >= _HELLO_EVERY_MS

    def begin_session(self, document):
        """Take a new session if it answers this boot's hello, and say whether it did."""
        if document["boot"] != self._identity.boot:
            return False
        self.session = document["session"]
        self.session_ms = 0
        self._commands = 0
        return True

    def hello(self):
        """Return the hello, which ends the bridge's old session."""
        identity = self._identity
        self._since_hello_ms = 0
        fields = {"boot": identity.boot, "fw": identity.fw, "board": identity.board,
                  "wire": [messages.VERSION, messages.VERSION], "caps": list(messages.OPERATIONS)}  # fmt: skip
        return self.publish(messages.HELLO, fields)

    def state(self, state):
        """Return the retained word that this boot is "online" or "offline"."""
        topic, payload = self.state_message(state)
        return Publish(topic, payload, 1, True, None, PUBLISH_MS)

    def state_message(self, state):
        """Return (topic, payload) of up/state."""
        topic = self.topic(messages.STATE)
        return topic, messages.encode(messages.STATE, topic, None, {"boot": self._identity.boot, "state": state})

    def command(self, op, number, first_ms, call):
        """Return the next command of this session; its `ref` is its id."""
        self._commands += 1
        name = "%s.%d" % (self.session, self._commands)
        fields = {
            "id": name,
            "op": op,
            "number": number,
            "first_ms": first_ms,
            "since_ms": self.session_ms,
            "call": call,
        }
        publish = self.publish(messages.COMMAND, fields)
        return Publish(publish.topic, publish.payload, 1, False, name, ANSWER_MS)

    def publish(self, kind, fields):
        """Return a message of any kind whose outcome nobody asks for; telemetry goes without acknowledgement."""
        topic = self.topic(kind)
        payload = messages.encode(kind, topic, self._identity.key, fields)
        return Publish(topic, payload, 0 if kind == messages.TELEMETRY else 1, False, None, PUBLISH_MS)

    def topic(self, kind):
        """Return this terminal's topic of a kind."""
        return messages.topic_of(self._identity.base, self._identity.tid, kind)
