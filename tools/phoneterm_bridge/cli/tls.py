"""`phoneterm tls`: make a site's CA and the broker's certificate, renew it, and show what there is.

Does not change settings or tell a broker; it says how. The files lie beside the store, whose folder belongs to the user
that the bridge runs as, unless --folder or broker.certificate_path says otherwise.
"""

import json
import os
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from phoneterm_bridge.broker import authority
from phoneterm_bridge.broker.authority import BROKER_DAYS, check_names
from phoneterm_bridge.broker.site_tls import BROKER, BROKER_KEY, CA, CA_KEY, SiteTls
from phoneterm_bridge.cli.options import Config, Json, Overrides, one_sentence, read_settings
from phoneterm_bridge.settings.bridge import BridgeSettings
from phoneterm_bridge.settings.loopback import is_loopback
from phoneterm_bridge.settings.place import find_place
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.wording.service import how_to_reload, how_to_restart

app = typer.Typer(
    help="Make, renew and show the site's CA and the broker's certificate.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_NAMES = "Names and addresses by which terminals and the bridge find the broker"
_Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help=f"{_NAMES}.", show_default=False)]
_Folder = Annotated[
    Path | None,
    typer.Option(help="The folder of the files; by default where the settings say, or tls beside the store."),
]
_Days = Annotated[int, typer.Option(min=1, max=3650, help="How long the certificate is good for.")]
_EVERYWHERE = ("0.0.0.0", "::")
_LOCAL = ["localhost", "127.0.0.1"]
_NEW_CA = """\
The CA ends in {days} days, on {day}; boards trust no other. Before that, make a new one (phoneterm tls init --folder
NEW), put its files into the settings, restart the broker, and provision every board again at a cable (make provision):
each is away until then."""


@app.command()
def init(
    names: _Names = None,
    folder: _Folder = None,
    days: _Days = BROKER_DAYS,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Make a CA for this site and the broker's certificate; nothing that exists is overwritten."""
    with one_sentence():
        settings = _read_settings(config, overrides)
        site = _find_site(settings, folder)
        wanted = check_names([*check_names(names or _ask_names(settings)), *_LOCAL])
        site.make(wanted[0], wanted, days)
        typer.echo(f"Made in {site.folder}: the CA of this site ({CA}, {CA_KEY}) and the certificate of its broker")
        typer.echo(f"({BROKER}, {BROKER_KEY}), for {', '.join(wanted)}, good until {_day(site, BROKER)}.")
        typer.echo(_describe_next(settings, site, wanted[0], find_place(config).path))


@app.command()
def renew(
    names: _Names = None,
    folder: _Folder = None,
    days: _Days = BROKER_DAYS,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Make a new certificate and key for the broker by the same CA; for the same names, unless others are given."""
    with one_sentence():
        settings = _read_settings(config, overrides)
        site = _find_site(settings, folder)
        site.renew(check_names([*check_names(names), *_LOCAL]) if names else [], days)
        typer.echo(
            f"The certificate {site.path(BROKER)} is new, and good until {_day(site, BROKER)}. Boards need nothing."
        )
        typer.echo(f"The broker takes it over without a restart: {_reload(settings)}")
        _say_when_ca_ends(site)


@app.command()
def show(folder: _Folder = None, as_json: Json = False, config: Config = None, overrides: Overrides = None) -> None:
    """Show CA and certificate: for whom, until when, and whether they belong together."""
    with one_sentence():
        site = _find_site(_read_settings(config, overrides), folder)
        ca, broker = site.read(CA), site.read(BROKER)
        names, is_ours = authority.names_of(broker), authority.is_signed_by(broker, ca)
        has_key = os.path.lexists(site.path(CA_KEY))
        if as_json:
            ends = {"ca": _as_fields(site, CA) | {"has_key": has_key}, "certificate": _as_fields(site, BROKER)}
            ends["certificate"] |= {"names": names, "is_signed_by_ca": is_ours}
            typer.echo(json.dumps(ends, indent=2))
            return
        typer.echo(f"CA           {site.path(CA)}, good until {_day(site, CA)} ({site.days_left(CA)} days)")
        typer.echo(f"             key {site.path(CA_KEY)}{'' if has_key else ', which is not here'}")
        typer.echo(f"certificate  {site.path(BROKER)}, good until {_day(site, BROKER)} ({site.days_left(BROKER)} days)")
        typer.echo(f"             for {', '.join(names) or 'no name'}")
        typer.echo(f"             signed by this CA: {'yes' if is_ours else 'NO'}")
        _say_when_ca_ends(site)


def _as_fields(site: SiteTls, name: str) -> dict[str, object]:
    until = site.read(name).not_valid_after_utc
    return {"path": str(site.path(name)), "good_until": until.isoformat(), "days_left": site.days_left(name)}


def _read_settings(config: Path | None, overrides: list[str] | None) -> BridgeSettings:
    """Return the settings; a broker that is on the network already, and is still to get TLS, is no mistake here."""
    return read_settings(config, [*(overrides or ()), "broker.allow_plain=true"])


def _find_site(settings: BridgeSettings, folder: Path | None) -> SiteTls:
    named = settings.broker.certificate_path
    return SiteTls(folder or (named.parent if named else settings.store.path.parent / "tls"))


def _ask_names(settings: BridgeSettings) -> list[str]:
    """Ask for the names, proposing this machine's; without a terminal, take the proposal."""
    proposed = _propose_names(settings)
    if not sys.stdin.isatty():
        if not proposed:
            raise SetupProblem("This machine has no name: phoneterm tls init NAME says how terminals find the broker.")
        return proposed
    text = typer.prompt(_NAMES, default=" ".join(proposed) or None)
    return str(text).replace(",", " ").split()


def _propose_names(settings: BridgeSettings) -> list[str]:
    """Return the names under which this machine may be known: the settings' broker, its own name, its address."""
    host = settings.broker.host
    found = [] if host in _EVERYWHERE or is_loopback(host) else [host]
    if settings.broker.embedded or not found:
        names = (socket.getfqdn(), socket.gethostname())
        found += [name for name in names if not name.startswith("localhost") and not is_loopback(name)]
        found += _own_address()
    good = []
    for name in found:
        try:
            good += check_names([name])
        except SetupProblem:
            continue
    return list(dict.fromkeys(good))


def _own_address() -> list[str]:
    """Return the address from which this machine reaches others, if there is one; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # of TEST-NET-1, which belongs to nobody
        except OSError:
            return []
        return [probe.getsockname()[0]]


def _describe_next(settings: BridgeSettings, site: SiteTls, name: str, place: Path | None) -> str:
    """Return the lines for the settings, and what to do then."""
    base = Path() if place is None else place.parent
    paths = {key: _relative(site.path(file), base) for key, file in (
        ("ca_path", CA), ("certificate_path", BROKER), ("key_path", BROKER_KEY)
    )}  # fmt: skip
    port = settings.broker.port if settings.broker.port != 1883 else 8883
    embedded = settings.broker.embedded
    lines = [
        f'  host = "{"0.0.0.0" if embedded else name}"', f"  port = {port}",
        *(f'  {key} = "{path}"' for key, path in paths.items()),
    ]  # fmt: skip
    where = place or "the settings file"
    then = how_to_restart() if embedded else "phoneterm broker config, then restart mosquitto"
    return "\n".join([
        f"Next, in section [broker] of {where}:", *lines, f"Then: {then}; phoneterm doctor.",
        f"Boards get the CA with their settings (make provision ... HOST={name}), and connect only to these names.",
        f"Keep a copy of {site.path(CA_KEY)} where nobody else gets it: it signs every later certificate.",
    ])  # fmt: skip


def _relative(path: Path, base: Path) -> str:
    """Return a path as the settings file needs it."""
    whole = Path(os.path.abspath(path))
    folder = Path(os.path.abspath(base))
    return str(whole.relative_to(folder)) if whole.is_relative_to(folder) else str(whole)


def _reload(settings: BridgeSettings) -> str:
    if settings.broker.embedded:
        return f"{how_to_reload()}."
    return "phoneterm broker config, then reload mosquitto (systemctl reload mosquitto, or kill -HUP)."


def _say_when_ca_ends(site: SiteTls) -> None:
    """Say that the CA ends before a certificate of the usual length would; say when it ends in any case."""
    days = site.days_left(CA)
    if days < BROKER_DAYS:
        typer.echo(_NEW_CA.format(days=days, day=_day(site, CA)))
    else:
        typer.echo(f"The CA itself is good until {_day(site, CA)}.")


def _day(site: SiteTls, name: str) -> str:
    return f"{site.read(name).not_valid_after_utc:%-d %B %Y}"
