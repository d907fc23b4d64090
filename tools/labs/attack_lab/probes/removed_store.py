"""The store's file, its log or its folder is removed or moved under the running bridge. Puts nothing in its place."""

from attack_lab.probe import Probe
from attack_lab.scenery.store_harm import REMOVING
from attack_lab.site import Site


class RemovedStore(Probe):
    """See `sentence`."""

    name = "removed store"
    sentence = "the file removed or moved, its -wal or -shm removed, its folder moved"

    async def run(self, site: Site) -> str | None:
        """Remove each, and key a transfer."""
        for harm in REMOVING[:1] if site.is_short else REMOVING:
            scene = await site.open()
            terminal = await scene.terminal()
            await terminal.hello()
            harm(scene.settings.store.path)
            answer = await terminal.ask()
            if scene.pbx.asked or answer != ("rejected", "unavailable"):
                return f"after {harm.__name__} a transfer was {answer}"
            if "store" not in scene.bridge.parts.health.missing():
                return f"after {harm.__name__} the bridge says that it is ready"
            site.log.events.clear()  # store-file-changed is what it should say
        return None
