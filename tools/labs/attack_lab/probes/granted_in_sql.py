"""Rights, secrets and users are given in SQL, without an entry of the journal. Uses no command of ours."""

from attack_lab.probe import WITHOUT_BROKER, Probe
from attack_lab.scenery.tampered_journal import harm
from attack_lab.site import Site
from attack_lab.tampering_probe import find_unnoticed

_STATEMENTS = (
    "UPDATE permissions SET classes = 'internal,external'",
    "UPDATE permissions SET allow_prefixes = '00'",
    "UPDATE permissions SET attended = 0",
    "UPDATE terminals SET mac_key = x'00'",
    "UPDATE terminals SET revoked = 1",
    "UPDATE users SET multi_user_aware = 0",
    "UPDATE extensions SET context = 'outside'",
    "UPDATE state SET external_revoked = 1",
    "INSERT INTO users VALUES ('eve', 1)",
    "DELETE FROM permissions",
)


class GrantedInSql(Probe):
    """See `sentence`."""

    name = "journal: permissions"
    sentence = "rights, keys, contexts and users given or taken in SQL, past the journal"
    brokers = WITHOUT_BROKER

    async def run(self, site: Site) -> str | None:
        """Do each, and verify."""
        return await find_unnoticed(site, harm, _STATEMENTS)
