"""The end of the journal is cut off, or its entries written anew, with a head that fits. Only a head kept elsewhere
shows that."""

from attack_lab.probe import WITHOUT_BROKER, Probe
from attack_lab.scenery.tampered_journal import LAST, ask_journal, fill_journal, harm
from attack_lab.site import Site


class CutEnd(Probe):
    """See `sentence`."""

    name = "journal: cut end"
    sentence = "the last entry cut off with a head that fits, against a head that was kept elsewhere"
    brokers = WITHOUT_BROKER

    async def run(self, site: Site) -> str | None:
        """Note the head, cut, and verify since that head."""
        path = site.new_folder() / "cut.db"
        await fill_journal(path)
        _, head = ask_journal(path, "head")
        code, said = ask_journal(path, "verify", "--since", head)
        if code:
            return f"a journal that nobody has touched is not whole: {said}"
        harm(
            path, f"DELETE FROM journal WHERE seq = {LAST}",
            f"UPDATE journal_head SET seq = {LAST - 1}, hash = (SELECT hash FROM journal WHERE seq = {LAST - 1})",
        )  # fmt: skip
        code, said = ask_journal(path, "verify", "--since", head)
        return None if code == 1 and "broken" in said else f"journal verify --since says {said.splitlines()[0]!r}"
