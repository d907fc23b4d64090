"""Another program keeps the store locked while a caller is on hold, and somebody keys. Changes nothing in it."""

from attack_lab.probe import Probe
from attack_lab.scenery.fake_pbx import talking
from attack_lab.scenery.held_store import locking
from attack_lab.scenery.tampered_journal import ask_journal
from attack_lab.scenery.waiting import until
from attack_lab.site import Site


class UnwrittenStore(Probe):
    """See `sentence`."""

    name = "unwritten store"
    sentence = "locked by another program: a transfer keyed meanwhile, and a caller who is on hold"

    async def run(self, site: Site) -> str | None:
        """Begin a consultation, lock the store, release the caller, and key a transfer."""
        scene = await site.open()
        terminal = await scene.terminal()
        await terminal.hello()
        await terminal.ask("attended", "102")
        scene.pbx.change_calls("101", talking("c1", state="consulting"))
        scene.pbx.end_transfer(state="consulting")
        journal = scene.bridge.parts.journal
        await until(lambda: journal.queued == 0)
        with locking(scene.settings.store.path):
            answer = await terminal.ask("cancel", None)
            if answer[0] == "rejected":
                return f"the caller stays on hold: cancel was {answer}"
            scene.pbx.end_transfer(state="returned", reason="cancelled")
            scene.pbx.change_calls("101", talking("c1"))
            answer = await terminal.ask("blind", "103")
        await until(lambda: journal.queued == 0)
        asked = [operation for operation, *_ in scene.pbx.asked]
        if answer != ("rejected", "unavailable") or asked != ["attended", "cancel"]:
            return f"a transfer that could not be journalled was {answer}, and the PBX was asked for {asked}"
        site.log.events.clear()  # journal-not-written is what it should say
        code, said = ask_journal(scene.settings.store.path, "verify")
        return said if code else None
