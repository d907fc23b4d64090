"""The view that people read is replaced by one that lies. Changes no entry."""

from attack_lab.probe import WITHOUT_BROKER, Probe
from attack_lab.scenery.tampered_journal import lie_in_view
from attack_lab.site import Site
from attack_lab.tampering_probe import find_unnoticed


class ForgedView(Probe):
    """See `sentence`."""

    name = "journal: view"
    sentence = "the view that people read says that every transfer has failed"
    brokers = WITHOUT_BROKER

    async def run(self, site: Site) -> str | None:
        """Replace it, and verify."""
        return await find_unnoticed(site, lambda path, _: lie_in_view(path), ["a view that lies"])
