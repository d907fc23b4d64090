"""The store's file, or its log, is replaced under the running bridge, with a right taken away in the new file."""

from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory

from attack_lab.probe import Probe
from attack_lab.scenery.crowd import MINE
from attack_lab.scenery.store_harm import REPLACING, replace
from attack_lab.site import Site


class ReplacedStore(Probe):
    """See `sentence`."""

    name = "replaced store"
    sentence = "a copy in the place of the file, and of its -wal, with a right taken away in it"

    async def run(self, site: Site) -> str | None:
        """Replace each, and key a transfer."""
        for harm in REPLACING:
            scene = await site.open()
            terminal = await scene.terminal()
            await terminal.hello()
            path = scene.settings.store.path
            harm(path)
            if harm is replace:
                engine = open_store(path)
                Directory(engine, "attack").set_operation(MINE, "blind", False)
                engine.dispose()
            answer = await terminal.ask()
            if scene.pbx.asked or answer != ("rejected", "unavailable"):
                return f"after {harm.__name__} a transfer was {answer}"
            if "store" not in scene.bridge.parts.health.missing():
                return f"after {harm.__name__} the bridge says that it is ready"
            site.log.events.clear()  # store-file-changed is what it should say
        return None
