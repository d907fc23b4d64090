"""Entries, commands and their index are changed in the file, one column after the other; entries go, come and move."""

from attack_lab.probe import WITHOUT_BROKER, Probe
from attack_lab.scenery.tampered_journal import LAST, harm
from attack_lab.site import Site
from attack_lab.tampering_probe import find_unnoticed

_COMMANDS = (
    "tid = 'phone-102'", "command_id = 's.9'", "received_ms = received_ms + 3600000", "extension = '109'",
    "op = 'attended'", "number = '0900'", "call = 'c9'",
)  # fmt: skip
_ENTRIES = ("entry = 1", "at_ms = 1", "stage = 'x'", "word = 'x'", "reason = 'x'", "detail = 'x'", "hash = x'00'")
_ROWS = (
    "DELETE FROM journal WHERE seq = 7",
    f"DELETE FROM journal WHERE seq = {LAST}",
    f"INSERT INTO journal SELECT {LAST + 1}, entry, at_ms, stage, word, reason, detail, hash FROM journal LIMIT 1",
    "DELETE FROM commands WHERE command_id = 's.1'",
    "INSERT INTO commands_by_extension SELECT '109', received_ms, entry FROM commands LIMIT 1",
    "INSERT INTO commands_by_extension SELECT extension, received_ms, entry FROM commands",
    "UPDATE journal SET entry = 0 WHERE seq = 3",
    "UPDATE journal SET reason = '' WHERE reason IS NULL",
    "UPDATE journal SET detail = '' WHERE detail IS NULL",
    "INSERT INTO journal_head SELECT 2, seq - 1, hash FROM journal_head",
    "DELETE FROM state",
)


class ForgedColumns(Probe):
    """See `sentence`."""

    name = "journal: columns and rows"
    sentence = "each column of a command and of an entry changed, entries removed and added, lists misled"
    brokers = WITHOUT_BROKER

    async def run(self, site: Site) -> str | None:
        """Do each, and verify."""
        statements = [f"UPDATE commands SET {change} WHERE command_id = 's.1'" for change in _COMMANDS]
        statements += [f"UPDATE journal SET {change} WHERE seq = 8" for change in _ENTRIES]
        statements += _ROWS
        return await find_unnoticed(site, harm, statements)
