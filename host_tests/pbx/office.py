"""A desk in an office: the whole bridge on a lab's PBX, and the terminal of the user's extension, on a link in memory.

Does not use a broker or the firmware (host_tests/e2e does): here every situation ends with the terminal's messages and
the journal.
"""

import asyncio

from attack_lab.scenery.fake_terminal import FakeTerminal
from attack_lab.scenery.fresh_store import open_fresh_store
from attack_lab.scenery.memory_link import MemoryLink
from attack_lab.scenery.waiting import until
from pbx.desk import CALLER, USER
from pbx_lab.lab import settings_for
from pbx_lab.legs import are_alone
from phoneterm.core import messages
from phoneterm_bridge.pbx.backends import make_pbx
from phoneterm_bridge.service import Bridge
from phoneterm_bridge.settings.bridge import PhoneSettings, StoreSettings, load_settings
from phoneterm_bridge.settings.policy import PolicySettings
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal_reading import find_nearest

WAIT_S = 20
DIGIT_MAP = "internal:[12]xx|internal:[3-8]xx|internal:0003*1xx|mailbox:*1xx|national:0[1-9]x.T"
MOMENT_S = 0.05  # the bridge dates keys too early by this much: it counts from when it sent the session


class Office:
    """`lab` must run. `ami`: another route to its PBX. `make_backend`: replaces the usual backend. `changes`: of the
    bridge's settings, as `section.key=value`."""

    def __init__(self, lab, folder, ami=None, make_backend=make_pbx, policy=None, changes=()):
        self.lab = lab
        at_the_pbx = settings_for(ami) if ami else lab.bridge_settings
        own = {
            "store": StoreSettings(path=folder / "office.db"),
            "phones": PhoneSettings(digit_map=DIGIT_MAP),
            "policy": PolicySettings(**(policy or {})),
        }
        self.settings = load_settings(None, (*at_the_pbx, *changes)).model_copy(update=own)
        self._make_pbx = make_backend
        self.engine = open_fresh_store(self.settings.store.path)
        Directory(self.engine, "test").add_user("alice", True)
        self.enrolment = self.enrol("t101", USER)

    def enrol(self, tid, extension, **options):
        """Add an extension of alice's, and a terminal at it."""
        directory = Directory(self.engine, "test")
        directory.add_extension(extension, "alice", context=self.lab.context, **options)
        return directory.add_terminal(tid, extension)

    def terminal_of(self, enrolment):
        """Return the terminal of an enrolment; it has not said hello."""
        return FakeTerminal(self.link, enrolment.tid, enrolment.mac_key)

    async def __aenter__(self):
        await self.open()
        return self

    async def __aexit__(self, *_):
        await self.bridge.stop()
        self.engine.dispose()

    async def open(self):
        """Start a bridge, and let the terminal say hello to it."""
        self.link = MemoryLink()
        self.bridge = Bridge(self.settings, self.make_pbx(), self.link)
        await self.bridge.start()
        await self.boot()

    def make_pbx(self):
        """Return another backend of the same kind for the same PBX."""
        return self._make_pbx(self.settings)

    async def boot(self):
        """Restart the terminal; it has no memory."""
        self.terminal = self.terminal_of(self.enrolment)
        await self.terminal.hello()

    async def reopen(self):
        """Stop the bridge and start another one; the terminal says hello to it, as after "offline"."""
        await self.bridge.stop()
        await self.open()

    def told_call(self):
        """Return the last (state, reference) that the terminal was told about its call."""
        told = self.terminal.heard(messages.CALL)[-1]
        return told["state"], told["call"]

    async def call_is(self, state):
        """Wait until the terminal is told this state; return the call's reference."""
        await until(lambda: self.terminal.heard(messages.CALL) and self.told_call()[0] == state, WAIT_S)
        return self.told_call()[1]

    async def calls_are(self, *states):
        """Wait until the bridge sees the user's calls in these states, in any order."""
        await until(lambda: sorted(call.state for call in self.bridge.parts.pbx.calls(USER)) == sorted(states), WAIT_S)

    async def talk(self):
        """Make the caller call the user, who answers; the PBX's own list also has the call."""
        await self.lab.place_call(CALLER, USER)
        await self.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))
        return await self.call_is("talking")

    async def ask(self, op, number=None, **changes):
        """Send a command about the present call, keyed a moment from now; return its id after its first result."""
        await asyncio.sleep(MOMENT_S)
        fields = self.terminal.command(op, number, **({"call": self.told_call()[1]} | changes))
        await self.terminal.send(messages.COMMAND, fields)
        await until(lambda: self.terminal.results(fields["id"]), WAIT_S)
        return fields["id"]

    async def comes_to(self, command_id, state, reason=None):
        """Wait until a command has this result as its last one."""
        try:
            await until(lambda: self.terminal.results(command_id)[-1:] == [(state, reason)], WAIT_S)
        except AssertionError:
            raise AssertionError(self.terminal.results(command_id)) from None

    async def journal_says(self, *words):
        """Wait until the newest command's timeline has this line (stage, word, reason)."""

        def lines():
            return [(line.stage, line.word, line.reason) for line in find_nearest(self.engine, USER, None).lines]

        await until(lambda: words in lines(), WAIT_S)
