"""A terminal for the tests of core.terminal, with the bridge at its other end. Runs on CPython and on MicroPython."""

from phoneterm.core import messages
from phoneterm.core.actions import Indicate, Publish
from phoneterm.core.config import read_config
from phoneterm.core.keymap import STANDARD_LEGENDS, STANDARD_ROLES, Keymap
from phoneterm.core.terminal import Identity, Terminal

IDENTITY = Identity("desk-1", "phoneterm", b"k" * 32, "9f3c21aa", "0.1.0", "VIRTUAL", None)

TOPIC = "phoneterm/v1/t/desk-1/"


class Desk:
    """A terminal, and its actions so far."""

    def __init__(self, read_config=read_config):
        self.terminal = Terminal(IDENTITY, Keymap(), STANDARD_ROLES, read_config)
        self.actions = []
        self.wait(1)

    def note(self, actions):
        """Keep the actions and return them."""
        self.actions += list(actions)
        return actions

    def wait(self, ms):
        """Let time pass in steps of 10 ms."""
        for _ in range(ms // 10):
            self.note(self.terminal.on_time(10))
        self.note(self.terminal.on_time(ms % 10))

    def key(self, legends):
        """Tap keys, 50 ms apart."""
        for legend in legends:
            self.wait(50)
            index = STANDARD_LEGENDS.index(legend)
            self.note(self.terminal.on_key(index, True))
            self.note(self.terminal.on_key(index, False))

    def down(self, kind, **fields):
        """Receive a message from the bridge."""
        topic = messages.topic_of("phoneterm", "desk-1", kind)
        return self.note(self.terminal.on_message(topic, messages.encode(kind, topic, IDENTITY.key, fields)))

    def session(self, name="7d20"):
        """Receive a session."""
        self.down(messages.SESSION, boot="9f3c21aa", session=name, ttl_ms=8000)

    def request(self, name, op, boot="9f3c21aa"):
        """Receive a request for a start of this terminal."""
        return self.down(messages.REQUEST, id=name, boot=boot, op=op)

    def sent(self, kind):
        """Return the fields of every message of a kind sent so far."""
        found = [action for action in self.actions if isinstance(action, Publish) and action.topic.endswith(kind)]
        return [messages.decode(kind, action.topic, IDENTITY.key, action.payload) for action in found]

    def heard(self):
        """Return the signals so far, and forget all actions."""
        signals = [action.signal for action in self.actions if isinstance(action, Indicate)]
        self.actions = []
        return signals


def permit(desk, rev=1):
    """Let the terminal transfer within its class."""
    desk.down(messages.PERMISSIONS, rev=rev, multi_user_aware=True, blind=True, attended=True, classes=["internal"])


def desk_in_call(read_config=read_config):
    """Return a desk with a link, a session, permissions and a call, which has been quiet for a second."""
    desk = Desk(read_config)
    desk.note(desk.terminal.on_link(True))
    desk.session()
    permit(desk)
    desk.down(messages.CALL, state="talking", call="c1")
    desk.wait(1000)
    desk.heard()
    return desk
