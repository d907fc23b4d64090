"""A stolen terminal goes on after it was revoked, by the connections that it has and by new ones. Has its secrets."""

from phoneterm.core import messages

from attack_lab.probe import Probe
from attack_lab.scenery.crowd import MINE
from attack_lab.scenery.held_open import HeldOpen
from attack_lab.scenery.waiting import until
from attack_lab.site import Site


class RevokedTerminal(Probe):
    """See `sentence`."""

    name = "revoked terminal"
    sentence = "goes on by connections from before, one of them a take-over, by a command, by a new login"

    async def run(self, site: Site) -> str | None:
        """Revoke it while it has connections open."""
        scene = await site.open()
        held = HeldOpen(scene)
        await held.open()
        terminal = held.terminal
        scene.directory.revoke_terminal(MINE)
        await scene.bridge.refresh()
        if not terminal.wire.is_lost:
            await terminal.send(messages.COMMAND, terminal.command())
        refused = scene.bridge.parts.router.refused
        await until(lambda: terminal.wire.is_lost or refused["unknown-terminal"] or scene.pbx.asked)
        if scene.pbx.asked:
            return "its command was carried out"
        await scene.take_over_changes()
        await until(lambda: terminal.wire.is_lost, otherwise="its connection stays open")
        return await held.find_open()
