"""`phoneterm broker`: write the files a production mosquitto needs, and the CA file for terminals.

Does not start, reload or talk to mosquitto; it says how. Files are readable by their owner only.
"""

import os
import ssl
from pathlib import Path
from typing import Annotated

import typer

from phoneterm_bridge.broker.mosquitto_config import CONFIG_NAME, FIRST_LINE, make_files, without_login
from phoneterm_bridge.cli.options import Config, Overrides, one_sentence, read_settings, read_terminals
from phoneterm_bridge.settings.broker import BrokerSettings
from phoneterm_bridge.settings.loopback import is_loopback
from phoneterm_bridge.settings.problem import SetupProblem

app = typer.Typer(
    help="Files for a mosquitto, and for terminals that use TLS.", no_args_is_help=True, pretty_exceptions_enable=False
)
_Folder = Annotated[Path, typer.Argument(help="The folder to write the files to.")]
_Listen = Annotated[str | None, typer.Option(help="The address mosquitto listens on; broker.host unless given.")]
_SeenAs = Annotated[
    Path | None, typer.Option("--seen-as", help="The folder's name for mosquitto, if it runs in a container.")
]

_NEXT = """\
Next:
  chown -R mosquitto: {folder}         (mosquitto gives up root before it reads them)
  mosquitto -c {config}
A running mosquitto loads new passwords and rules on `systemctl reload mosquitto` or kill -HUP, and then disconnects
revoked terminals; another address, port or certificate needs a restart."""


@app.command("config")
def write_config(
    folder: _Folder, listen: _Listen = None, seen_as: _SeenAs = None, config: Config = None, overrides: Overrides = None
) -> None:
    """Write mosquitto.conf, the password file and the access rules for the terminals of the store."""
    with one_sentence():
        broker = read_settings(config, overrides).broker
        address = listen or broker.host
        _refuse_plain(broker, address)
        terminals = read_terminals(config, overrides)
        files = make_files(broker, terminals, address, folder, seen_as or folder.absolute())
        _refuse_foreign(folder / CONFIG_NAME)
        for name, text in files.items():
            _write_private(folder / name, text.encode())
        typer.echo(f"Written to {folder}: {', '.join(files)}.")
        if left_out := without_login(terminals):
            typer.echo(f"Enrolled before mosquitto was supported, so they need new secrets: {', '.join(left_out)}.")
        typer.echo(_NEXT.format(folder=folder, config=folder / CONFIG_NAME))


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


def read_ca(broker: BrokerSettings) -> bytes:
    """Return the CA of broker.ca_path in DER form, which terminals pin."""
    if broker.ca_path is None:
        raise SetupProblem("The setting broker.ca_path does not name a CA: there is nothing to pin.")
    try:
        text = broker.ca_path.read_text(encoding="ascii").strip()
        if text.count("BEGIN CERTIFICATE") != 1:
            raise ValueError("not one certificate")
        return ssl.PEM_cert_to_DER_cert(text)
    except (OSError, ValueError):
        raise SetupProblem(f"The file {broker.ca_path} (broker.ca_path) is not one CA in PEM form.") from None


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
    """Replace a file as a whole; a mosquitto that is just reading it sees the old one or the new one."""
    fresh = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        _keep_owner(path, fresh)
        fresh.replace(path)
    except OSError as error:
        raise SetupProblem(f"The file {path} cannot be written: {error.strerror}.") from None


def _keep_owner(path: Path, fresh: Path) -> None:
    """Give a file the owner of the one that it replaces, where that is allowed: mosquitto must be able to read it."""
    if path.exists():
        before = path.stat()
        if (before.st_uid, before.st_gid) != (fresh.stat().st_uid, fresh.stat().st_gid):
            os.chown(fresh, before.st_uid, before.st_gid)
