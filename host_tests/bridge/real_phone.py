"""The phone's own core at the end of a bridge's link in memory, without a chip. Judges nothing."""

from phoneterm.core.actions import Indicate, Publish
from phoneterm.core.config import read_config
from phoneterm.core.keymap import STANDARD_LEGENDS, STANDARD_ROLES, Keymap
from phoneterm.core.terminal import Identity, Terminal


async def settle(scene):
    """Wait until the PBX has been asked for every command that was let through."""
    while scene.bridge.parts.dispatcher.in_flight:
        await scene.bridge.parts.dispatcher.finish(60)


class RealPhone:
    """The firmware's core at the end of the link in memory; `is_deaf`: what the bridge says is lost."""

    def __init__(self, scene):
        self._scene = scene
        self._read = 0
        self.is_up = self.is_deaf = False
        self.signals = []
        self.unsent = []
        identity = Identity("phone-101", "phoneterm", scene.enrolment.mac_key, "b0", "1.0", "VIRTUAL", None)
        self.terminal = Terminal(identity, Keymap(), STANDARD_ROLES, read_config)

    async def set_link(self, is_up):
        self.is_up = is_up
        await self._perform(self.terminal.on_link(is_up))
        await self.hear()

    async def wait(self, ms):
        for _ in range(0, ms, 20):
            await self._perform(self.terminal.on_time(20))

    async def key(self, legends):
        for legend in legends:
            await self.wait(100)
            index = STANDARD_LEGENDS.index(legend)
            await self._perform(self.terminal.on_key(index, True))
            await self._perform(self.terminal.on_key(index, False))
        await self.hear()

    async def hear(self):
        """Take the bridge's messages."""
        await settle(self._scene)
        while self.is_up and self._read < len(self._scene.link.published):
            topic, payload, _ = self._scene.link.published[self._read]
            self._read += 1
            if not self.is_deaf:
                await self._perform(self.terminal.on_message(topic, payload))
                await settle(self._scene)

    async def _perform(self, actions):
        for action in actions:
            if isinstance(action, Indicate):
                self.signals.append(action.signal)
            elif isinstance(action, Publish):
                if self.is_up:
                    await self._scene.link.send(action.topic, action.payload, action.retain)
                else:
                    self.unsent.append(action)
                if action.ref is not None:
                    await self._perform(self.terminal.on_published(action.ref, self.is_up))
