"""Somebody has seen a terminal's secrets, and uses them after they were rotated. Does not know the new ones."""

from phoneterm.core import messages

from attack_lab.probe import Probe
from attack_lab.scenery.crowd import MINE
from attack_lab.scenery.held_open import HeldOpen
from attack_lab.scenery.waiting import until
from attack_lab.site import Site


class RotatedTerminal(Probe):
    """See `sentence`."""

    name = "rotated secrets"
    sentence = "the old password and the old key, by connections from before and by new ones"

    async def run(self, site: Site) -> str | None:
        """Rotate the secrets while connections are open."""
        scene = await site.open()
        held = HeldOpen(scene)
        await held.open()
        fresh = scene.directory.rotate_terminal(MINE)
        await scene.take_over_changes()
        await until(lambda: held.terminal.wire.is_lost, otherwise="its connection stays open")
        if trouble := await held.find_open():
            return trouble
        terminal = await scene.terminal(fresh)
        await terminal.hello()
        await terminal.send(messages.COMMAND, terminal.command(), key=scene.enrolment.mac_key)
        refused = scene.bridge.parts.router.refused
        await until(lambda: refused["bad-signature"] or scene.pbx.asked)
        if scene.pbx.asked:
            return "a command that was signed with the old key was carried out"
        answer = await terminal.ask()
        return None if answer == ("accepted", None) else f"a command with the new secrets was {answer}"
