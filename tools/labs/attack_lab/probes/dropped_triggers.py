"""The triggers that keep the journal append-only are dropped, or others put in, and indexes taken away."""

from attack_lab.probe import WITHOUT_BROKER, Probe
from attack_lab.scenery.tampered_journal import change_schema, hide_in_schema, leave_out_of_index
from attack_lab.site import Site
from attack_lab.tampering_probe import find_unnoticed

_HIDDEN = {"a trigger with a name of SQLite": hide_in_schema, "an index that leaves out a row": leave_out_of_index}
_STATEMENTS = (
    "DROP TRIGGER journal_no_update",
    "DROP TRIGGER commands_no_delete",
    "CREATE TRIGGER own AFTER INSERT ON commands BEGIN UPDATE permissions SET blind = 1; END",
    "DROP INDEX ix_journal_changes",
)


class DroppedTriggers(Probe):
    """See `sentence`."""

    name = "journal: triggers"
    sentence = "append-only triggers dropped, one added that grants rights, also hidden; an index dropped, or lying"
    brokers = WITHOUT_BROKER

    async def run(self, site: Site) -> str | None:
        """Do each, and verify."""
        seen = await find_unnoticed(site, change_schema, _STATEMENTS)
        return seen or await find_unnoticed(site, lambda path, harm: _HIDDEN[harm](path), _HIDDEN)
