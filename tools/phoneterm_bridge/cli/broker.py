"""`phoneterm broker`: write the files a production mosquitto needs, and the CA file for terminals.

Does not start, reload or talk to mosquitto; it says how. All but Debian's conf.d/phoneterm.conf, which has no secret,
are readable by their owner only.
"""

import os
from pathlib import Path
from typing import Annotated

import typer

from phoneterm_bridge.administration.handout import read_ca
from phoneterm_bridge.broker.mosquitto_config import CONFIG_NAME, FIRST_LINE, make_files, without_login
from phoneterm_bridge.broker.mosquitto_folder import DEBIAN, USER, MosquittoFolder, find_folder
from phoneterm_bridge.broker.tls import make_server_context
from phoneterm_bridge.cli.options import Config, Overrides, one_sentence, read_settings, read_terminals
from phoneterm_bridge.settings.broker import BrokerSettings
from phoneterm_bridge.settings.loopback import is_loopback
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.private_files import replace_file

app = typer.Typer(
    help="Files for a mosquitto, and for terminals that use TLS.", no_args_is_help=True, pretty_exceptions_enable=False
)
_Folder = Annotated[
    Path,
    typer.Argument(help="The folder to write to; in one with a conf.d, as Debian's, mosquitto.conf stays as it is."),
]
_Listen = Annotated[str | None, typer.Option(help="The address mosquitto listens on; else as before, or broker.host.")]
_SeenAs = Annotated[
    Path | None, typer.Option("--seen-as", help="The folder's name for mosquitto, if it runs in a container.")
]
_Owner = Annotated[
    str, typer.Option(help="The user that Debian's mosquitto runs as (NAME, or UID:GID); its files are given to it.")
]

_COPIES = {"certificate_path": "broker.pem", "key_path": "broker.key", "client_ca_path": "clients.pem"}
_NEXT = """\
Next:
  chown -R mosquitto: {folder}         (mosquitto gives up root before it reads them)
  mosquitto -c {config}
A running mosquitto loads new passwords and rules on `systemctl reload mosquitto` or kill -HUP, and then disconnects
revoked terminals; another address, port or certificate needs a restart."""
_RESTART = "Next: systemctl restart mosquitto   (its configuration is new)"
_RELOAD = (
    "Next: systemctl reload mosquitto   (then it has new passwords, rules and certificates, and no revoked terminals)"
)


@app.command("config")
def write_config(
    folder: _Folder = DEBIAN,
    listen: _Listen = None,
    seen_as: _SeenAs = None,
    owner: _Owner = USER,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Write mosquitto's configuration, password file and access rules for the terminals of the store.

    Without a folder they go where Debian's mosquitto reads them, /etc/mosquitto/conf.d and /etc/mosquitto/phoneterm,
    with copies of certificate and key that its user can read; then a reload is enough for whatever changes later.
    """
    with one_sentence():
        broker = read_settings(config, overrides).broker
        place = find_folder(folder, seen_as)
        address = listen or place.present_address() or broker.host
        _refuse_plain(broker, address)
        terminals = read_terminals(config, overrides)
        _refuse_bad_pair(broker)
        broker, copies = _copy_certificates(broker, place) if place.is_debian else (broker, {})
        files = make_files(broker, terminals, address, place.folder, place.seen_as)
        place.refuse_conflicts(broker.port)
        _refuse_foreign(place.config)
        place.make()
        place.give_to(owner)
        contents = {name: text.encode() for name, text in files.items()}
        config_text = contents.pop(CONFIG_NAME)
        changed = [name for name, content in (contents | copies).items() if place.write(name, content)]
        is_config_new = place.write(place.config.name, config_text)
        place.give_to(owner)
        typer.echo(f"Written to {folder}: {', '.join((place.config.name, *contents, *copies))}.")
        if left_out := without_login(terminals):
            typer.echo(f"Enrolled before mosquitto was supported, so they need new secrets: {', '.join(left_out)}.")
        typer.echo(_describe_next(place, is_config_new, bool(changed)))


def _copy_certificates(broker: BrokerSettings, place: MosquittoFolder) -> tuple[BrokerSettings, dict[str, bytes]]:
    """Return the settings with the names of copies that mosquitto's user can read, and the copies by name."""
    if not broker.certificate_path or not broker.key_path:
        return broker, {}
    sources = {"certificate_path": broker.certificate_path, "key_path": broker.key_path}
    if broker.client_ca_path:
        sources["client_ca_path"] = broker.client_ca_path
    try:
        copies = {_COPIES[setting]: path.read_bytes() for setting, path in sources.items()}
    except OSError as error:
        raise SetupProblem(f"The file {error.filename} cannot be read: {error.strerror}.") from None
    return broker.model_copy(update={setting: place.folder / _COPIES[setting] for setting in sources}), copies


def _refuse_bad_pair(broker: BrokerSettings) -> None:
    """Refuse certificate and key that mosquitto could not load; they may be on another machine."""
    if (
        broker.certificate_path
        and broker.key_path
        and all(os.access(path, os.R_OK) for path in (broker.certificate_path, broker.key_path))
    ):
        make_server_context(broker.certificate_path, broker.key_path)


def _describe_next(place: MosquittoFolder, is_config_new: bool, is_anything_new: bool) -> str:
    if not place.is_debian:
        return _NEXT.format(folder=place.folder, config=place.config)
    if is_config_new:
        return _RESTART
    return _RELOAD if is_anything_new else "Nothing has changed."


@app.command("ca")
def write_ca(
    path: Annotated[Path, typer.Argument(help="The file to write.")] = Path("ca.der"),
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Write the CA of broker.ca_path in the form that a terminal pins (DER); its setting tls_ca_path names the file."""
    with one_sentence():
        broker = read_settings(config, overrides).broker
        _write_private(path, read_ca(broker))
        typer.echo(f"Written: {path}; a terminal finds it by its setting tls_ca_path.")


def _refuse_plain(broker: BrokerSettings, address: str) -> None:
    is_encrypted = broker.certificate_path or broker.psk_port
    if not is_encrypted and not broker.allow_plain and not is_loopback(address):
        raise SetupProblem(
            f"Terminals would speak to {address} in the clear: set broker.certificate_path and broker.key_path (TLS), "
            "broker.psk_port (TLS-PSK), or broker.allow_plain = true."
        )


def _refuse_foreign(path: Path) -> None:
    """Refuse to overwrite a configuration that somebody else wrote."""
    try:
        if FIRST_LINE not in path.read_text(encoding="utf-8", errors="replace"):
            raise SetupProblem(f"The file {path} was not written by this command: move it away or name another folder.")
    except FileNotFoundError:
        return
    except OSError as error:
        raise SetupProblem(f"The file {path} cannot be read: {error.strerror}.") from None


def _write_private(path: Path, content: bytes) -> None:
    """Replace a file as a whole, or make it."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(path, content)
    except OSError as error:
        raise SetupProblem(f"The file {path} cannot be written: {error.strerror}.") from None
