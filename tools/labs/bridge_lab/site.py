"""A site with many terminals: its store, its broker's files and the bridge's settings. Does not start anything.

All terminals have the same password, so its hashes are made once: hashing for ten thousand would take minutes, and is
not measured here. Their signing keys differ.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import sqlalchemy as sa
from phoneterm.core import messages
from phoneterm_bridge.broker import mosquitto_config
from phoneterm_bridge.settings.bridge import BridgeSettings, BrokerSettings, PbxSettings, StoreSettings
from phoneterm_bridge.settings.console import ConsoleSettings
from phoneterm_bridge.settings.http import HttpSettings
from phoneterm_bridge.store import passwords, reading, tables
from phoneterm_bridge.store.database import open_store, writing
from phoneterm_bridge.store.directory import Directory

from bridge_lab import command_watch

FIRST_EXTENSION = 20000
CONTEXT = "internal"
USERNAME = "phoneterm"
_USER = "everybody"


@dataclass(frozen=True)
class LoadIdentity:
    """The identity of one terminal of the load."""

    tid: str
    extension: str
    password: str
    key: bytes

    def as_list(self) -> list[str]:
        """Return it in the form for the load process."""
        return [self.tid, self.password, self.key.hex()]


def make_store(path: Path, count: int) -> list[LoadIdentity]:
    """Make a store with `count` terminals whose user may transfer to internal numbers."""
    engine = open_store(path)
    Directory(engine, "bench").add_user(_USER, is_multi_user_aware=True)
    password = secrets.token_urlsafe(24)
    hashed = {
        "password_hash": passwords.hash_password(password),
        "mosquitto_hash": passwords.hash_for_mosquitto(password, os.urandom(passwords.SALT_BYTES)),
    }
    identities = [
        LoadIdentity(f"load-{number}", str(number), password, secrets.token_bytes(32))
        for number in range(FIRST_EXTENSION, FIRST_EXTENSION + count)
    ]
    with writing(engine) as connection:
        _insert(connection, identities, hashed)
    engine.dispose()
    return identities


def _insert(connection: sa.Connection, identities: list[LoadIdentity], hashed: dict[str, str]) -> None:
    extension = {"context": CONTEXT, "type": "term", "user": _USER}
    rows: list[dict[str, object]] = [
        {"number": one.extension, "endpoint": one.extension, **extension} for one in identities
    ]
    connection.execute(tables.extensions.insert(), rows)
    terminal: dict[str, object] = {"revoked": False, "added_ms": 0, **hashed}
    rows = [{"tid": one.tid, "extension": one.extension, "mac_key": one.key, **terminal} for one in identities]
    connection.execute(tables.terminals.insert(), rows)
    permission = {"blind": True, "attended": True, "classes": "internal"}
    connection.execute(tables.permissions.insert(), [{"tid": one.tid, **permission} for one in identities])
    raised = tables.state.update().values(revision=tables.state.c.revision + 1)
    connection.execute(raised)


def make_settings(
    store: Path, broker_port: int, pbx_port: int, secret: str, http: HttpSettings,
    console: ConsoleSettings | None = None, **broker: Any,
) -> BridgeSettings:  # fmt: skip
    """Return the bridge's settings: all checks on, with limits high enough for the load."""
    return BridgeSettings(
        broker=BrokerSettings(port=broker_port, password=secret, **broker),
        pbx=PbxSettings(port=pbx_port, username=USERNAME, secret=secret),
        store=StoreSettings(path=store),
        http=http,
        console=console or ConsoleSettings(),
    )


def overrides(settings: BridgeSettings) -> list[str]:
    """Return the settings as options of the command line, without the secrets."""
    broker, pbx, http, console = settings.broker, settings.pbx, settings.http, settings.console
    chosen = {
        "broker.embedded": broker.embedded, "broker.port": broker.port, "pbx.port": pbx.port,
        "pbx.username": pbx.username, "store.path": settings.store.path, "policy.commands_per_minute": 100_000,
        "log.format": "json", "http.enabled": http.enabled, "http.port": http.port,
        "console.enabled": console.enabled, "console.port": console.port,
    }  # fmt: skip
    return [
        f"--set={name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in chosen.items()
    ]


def secrets_environment(secret: str) -> dict[str, str]:
    """Return the environment that gives a bridge its secrets, and nothing from a settings file of this machine."""
    return {"PHONETERM_CONFIG": os.devnull, "PHONETERM_BROKER__PASSWORD": secret, "PHONETERM_PBX__SECRET": secret}


def write_broker_files(settings: BridgeSettings, folder: Path, seen_as: PurePath) -> None:
    """Write the files of `phoneterm broker config`; root stays the owner, since the folder is temporary."""
    engine = open_store(settings.store.path)
    terminals = reading.read_snapshot(engine).terminals
    engine.dispose()
    files = mosquitto_config.make_files(settings.broker, terminals, "127.0.0.1", folder, seen_as)
    files[mosquitto_config.CONFIG_NAME] += "user root\nlog_dest none\n"
    _let_watch_in(settings.broker, files)
    for name, text in files.items():
        path = folder / name
        path.write_text(text)
        path.chmod(0o600)


def _let_watch_in(broker: BrokerSettings, files: dict[str, str]) -> None:
    """Allow the watch to read the commands of all terminals, with the bridge's password."""
    hashed = passwords.hash_for_mosquitto(broker.password.get_secret_value(), os.urandom(passwords.SALT_BYTES))
    files[mosquitto_config.PASSWORDS_NAME] += f"{command_watch.USERNAME}:{hashed}\n"
    commands = messages.topic_of(broker.base, "+", messages.COMMAND)
    access = f"user {command_watch.USERNAME}\ntopic read {commands}\n"
    files[mosquitto_config.ACCESS_NAME] = access + files[mosquitto_config.ACCESS_NAME]
