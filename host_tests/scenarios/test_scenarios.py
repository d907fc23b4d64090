"""Runs the scenario files of this folder against the terminal, one test for each file.

A scenario is a text file that reads like a script; README.md in this folder lists the sentences it may use. Every key
is held for 60 ms and followed by a pause of 60 ms; time runs in steps of 10 ms.
"""

import re
from pathlib import Path

import pytest
from phoneterm.core import messages, signals
from phoneterm.core.actions import Indicate, Publish, Show
from phoneterm.core.config import read_config
from phoneterm.core.keymap import STANDARD_LEGENDS, STANDARD_ROLES, Keymap
from phoneterm.core.scanner import Stalls
from phoneterm.core.terminal import Identity, Terminal

_FILES = sorted(Path(__file__).parent.glob("*.scenario"))
_IDENTITY = Identity("desk-1", "phoneterm", b"k" * 32, "9f3c21aa", "0.1.0", "VIRTUAL", None)


class Stage:
    """The terminal, and everything that a scenario may check."""

    def __init__(self):
        self._terminal = Terminal(_IDENTITY, Keymap(), STANDARD_ROLES, read_config)
        self._stalls = Stalls()
        self._revision = 0
        self._sessions = 0
        self._commands = []
        self._last_id = None
        self._signals = []
        self._standing = None
        self._display = ("", "")

    def play(self, sentence):
        """Carry out one sentence of a scenario."""
        for pattern, method in _SENTENCES:
            found = re.fullmatch(pattern, sentence)
            if found:
                method(self, *found.groups())
                return
        raise AssertionError("no such sentence")

    def start(self, with_call):
        """Start the terminal with everything allowed to internal numbers, in call c1 or without a call."""
        self._pass_ms(10)
        self.link("up")
        self.begin_session()
        self.grant("blind, attended", "internal")
        self.tell_call("c1 is talking" if with_call == "in a call" else None)
        self._pass_ms(1000)
        self._signals.clear()

    def link(self, state):
        """Bring the link up, or lose it."""
        self._take(self._terminal.on_link(state == "up"))

    def begin_session(self):
        """Answer the hello as the bridge."""
        self._sessions += 1
        self._down(messages.SESSION, boot=_IDENTITY.boot, session=f"5e55{self._sessions}", ttl_ms=8000)

    def grant(self, kinds, classes):
        """Give permissions."""
        self._revision += 1
        flags = {kind: kind in kinds for kind in ("blind", "attended")}
        names = re.findall(r"[a-z]+", classes or "")
        self._down(
            messages.PERMISSIONS, rev=self._revision, multi_user_aware=kinds != "nothing", classes=names, **flags
        )

    def revoke(self):
        """Take all permissions away."""
        self._take(self._terminal.on_message("phoneterm/v1/t/desk-1/down/permissions", b""))

    def configure(self, name, value):
        """Change one setting."""
        self._revision += 1
        fields = {"digit_map": "internal:1xx|national:0[1-9]x.T|national:0[1-9]x.#"}
        fields["ops" if name == "operations" else "digit_map"] = value.split(", ") if name == "operations" else value
        self._down(messages.CONFIG, rev=self._revision, **fields)

    def tell_call(self, text, reason=None):
        """Tell the state of the call."""
        ref, _, state = (text or "").partition(" is ")
        self._down(messages.CALL, state=state or "idle", call=ref or None, reason=reason)

    def be(self, state):
        """Change the bridge's own state."""
        self._down(messages.BRIDGE_STATE, state=state)

    def answer(self, state, reason):
        """Answer the last command."""
        self._down(messages.RESULT, id=self._last_id, state=state, reason=reason)

    def lose_command(self):
        """Let the broker not acknowledge the last command."""
        self._take(self._terminal.on_published(self._last_id, False))

    def keys(self, legends):
        """Tap keys one after the other."""
        for legend in legends.split():
            for is_pressed in (True, False):
                self._take(self._terminal.on_key(STANDARD_LEGENDS.index(legend), is_pressed))
                self._pass_ms(60)

    def wait(self, count, unit):
        """Let time pass."""
        self._pass_ms(round(float(count) * (1000 if unit == "s" else 1)))

    def stall(self, count):
        """Run nothing for a while, as when the device is busy."""
        self._look_after(int(count))

    def hook(self, word):
        """Hang up or pick up."""
        self._take(self._terminal.on_hook(word == "picks up"))

    def stick(self, legend, what):
        """Make a key stick, or work again."""
        self._take(self._terminal.on_keypad_fault(STANDARD_LEGENDS.index(legend), what == "sticks"))

    def expect_command(self, op, number, call):
        """Check the next command that was sent."""
        assert self._commands, "no command was sent"
        command = self._commands.pop(0)
        assert (command["op"], command["number"]) == (op, number), command
        assert call is None or command["call"] == call, command

    def expect_no_command(self):
        """Check that nothing more was sent."""
        assert self._commands == []

    def expect_signal(self, name):
        """Check that a signal was played since the last expected one."""
        assert name in self._signals, f"heard: {self._signals}"
        del self._signals[: self._signals.index(name) + 1]

    def expect_no_signal(self):
        """Check that no signal was played since the last expected one."""
        assert self._signals == []

    def expect_lamp(self, name):
        """Check which standing signal the lamp shows."""
        assert self._standing == name, f"the lamp shows {self._standing}"

    def expect_display(self, line1, line2):
        """Check the display."""
        assert self._display == (line1, line2 or ""), f"the display shows {self._display}"

    def _down(self, kind, **fields):
        topic = messages.topic_of("phoneterm", "desk-1", kind)
        self._take(self._terminal.on_message(topic, messages.encode(kind, topic, _IDENTITY.key, fields)))

    def _pass_ms(self, ms):
        for _ in range(ms // 10):
            self._look_after(10)

    def _look_after(self, ms):
        """Let time pass without a look at the keypad, then look."""
        if self._stalls.add(ms * 1000):
            self._take(self._terminal.on_stall())
        self._take(self._terminal.on_time(ms))

    def _take(self, actions):
        for action in actions:
            if isinstance(action, Indicate):
                if signals.is_heard(action.signal, self._standing):
                    self._signals.append(action.signal)
                if signals.is_standing(action.signal):
                    self._standing = action.signal
            elif isinstance(action, Show):
                self._display = (action.line1, action.line2)
            elif isinstance(action, Publish) and action.topic.endswith(messages.COMMAND):
                command = messages.decode(messages.COMMAND, action.topic, _IDENTITY.key, action.payload)
                self._commands.append(command)
                self._last_id = command["id"]
                assert command["id"] == action.ref


_SENTENCES = (
    (r"start (in a call|without a call)", Stage.start),
    (r"link (up|lost)", Stage.link),
    (r"bridge begins a session", Stage.begin_session),
    (r"bridge grants ([a-z, ]+?)(?: to ([a-z, ]+))?", Stage.grant),
    (r"bridge revokes everything", Stage.revoke),
    (r"bridge configures (digit map|operations) (.+)", Stage.configure),
    (r"bridge says there is no call()", lambda stage, _: stage.tell_call(None)),
    (r"bridge says call (\w+ is \w+)(?: because ([a-z-]+))?", Stage.tell_call),
    (r"bridge is (online|degraded|offline)", Stage.be),
    (r"bridge answers ([a-z]+)(?: because ([a-z-]+))?", Stage.answer),
    (r"broker loses the command", Stage.lose_command),
    (r"keys (.+)", Stage.keys),
    (r"after ([\d.]+) (s|ms)", Stage.wait),
    (r"nothing runs for (\d+) ms", Stage.stall),
    (r"user (hangs up|picks up)", Stage.hook),
    (r"key (\S) (sticks|works again)", Stage.stick),
    (r"expect command (\w+)(?: ([\d*]+))?(?: for call (\w+))?", Stage.expect_command),
    (r"expect no command", Stage.expect_no_command),
    (r"expect signal ([a-z-]+)", Stage.expect_signal),
    (r"expect no signal", Stage.expect_no_signal),
    (r"expect lamp ([a-z-]+)", Stage.expect_lamp),
    (r"expect display ([^/]+?)(?: / (.+))?", Stage.expect_display),
)


def test_there_are_scenarios():
    assert len(_FILES) >= 10


@pytest.mark.parametrize("path", _FILES, ids=[path.stem for path in _FILES])
def test_scenario(path):
    stage = Stage()
    for number, line in enumerate(path.read_text().splitlines(), 1):
        sentence = line.partition("//")[0].strip()
        if sentence:
            try:
                stage.play(sentence)
            except AssertionError as error:
                pytest.fail(f"{path.name}, line {number}: {sentence}: {error}", pytrace=False)
