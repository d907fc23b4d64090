"""Certificates that a server may show and that a client must not believe. Starts no server."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from phoneterm_bridge.broker.site_tls import CA, SiteTls

from attack_lab.scenery.crowd import NAME
from attack_lab.site import Site


class Shown(NamedTuple):
    """what: the certificate in words. site: its files. ca_path: what the client trusts meanwhile."""

    what: str
    site: SiteTls
    ca_path: Path


def make_own(site: Site, name: str = NAME) -> SiteTls:
    """Make a CA and a server's certificate for a name."""
    made = SiteTls(site.new_folder())
    made.make("an attack", [name], 1)
    return made


def make_false(site: Site, own: SiteTls) -> tuple[Shown, ...]:
    """Return one of another CA than `own`, one for another name, and one that has ended."""
    elsewhere = make_own(site, "other.example")
    long_ago = datetime.now(UTC) - timedelta(days=30)
    expired = SiteTls(site.new_folder(), lambda: long_ago)
    expired.make("an attack", [NAME], 1)
    return (
        Shown("of another CA", make_own(site), own.path(CA)),
        Shown("for another name", elsewhere, elsewhere.path(CA)),
        Shown("of last month", expired, expired.path(CA)),
    )
