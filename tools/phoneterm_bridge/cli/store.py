"""`phoneterm store`: upgrade a store of an earlier version to the schema of this one.

Does no work of its own.
"""

from pathlib import Path

import typer

from phoneterm_bridge.cli.options import Config, Overrides, one_sentence, read_settings
from phoneterm_bridge.store.database import (
    make_reading_engine,
    opening,
    refuse_damaged,
    refuse_empty,
    require_store,
)
from phoneterm_bridge.store.owner import own_store
from phoneterm_bridge.store.upgrading import upgrade_store

app = typer.Typer(
    help="The store of users, terminals and journal: upgrade it to the schema of this version.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def store() -> None:
    """Look after the store of users, terminals and journal."""


@app.command()
def upgrade(config: Config = None, overrides: Overrides = None) -> None:
    """Upgrade the store to the schema of this version, once the bridge is stopped; a backup is made first, and kept.

    Starting the bridge does the same. No other command ever changes a store's schema.
    """
    with one_sentence():
        path = read_settings(config, overrides).store.path
        require_store(path)
        with own_store(path):
            upgraded = upgrade_store(path)
        if upgraded is None:
            _refuse_unusable(path)
            typer.echo(f"The store {path} needs no upgrade: it has the schema of this version.")
            return
        typer.echo(
            f"The store {path} has schema {upgraded.now} now. It is kept as it was, with schema {upgraded.before}, as\n"
            f"{upgraded.backup}. To go back: install the earlier version, then `phoneterm backup restore` that file."
        )


def _refuse_unusable(path: Path) -> None:
    """Refuse a store that has this version's schema, or none, and yet is of no use."""
    with opening(path):
        engine = make_reading_engine(path)
        refuse_empty(engine, path)
        refuse_damaged(engine, path)
