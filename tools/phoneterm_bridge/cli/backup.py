"""`phoneterm backup`: back the store up while the bridge runs, and restore a backup while it does not.

Does no work of its own.
"""

from pathlib import Path
from typing import Annotated

import typer

from phoneterm_bridge.cli.options import Config, Overrides, name_place, name_user, one_sentence, read_settings

app = typer.Typer(
    help="Back the store up, and restore it: users, terminals with their keys, permissions, journal.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.command()
def create(
    file: Annotated[Path, typer.Argument(help="The new file; keep it as safe as a password.")],
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Write a backup of the store, proved entry by entry; the bridge may go on meanwhile."""
    from phoneterm_bridge.store.backup import create_backup

    with one_sentence():
        head = create_backup(read_settings(config, overrides).store.path, file)
    if head is None:
        typer.echo(f"The backup is in {file}. The store has an older schema, so its journal was not proved.")
    else:
        typer.echo(f"The backup is in {file}: {head.seq} journal entries, proved up to\n{head.seq}:{head.hash.hex()}")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Replace the store with a backup, once the bridge is stopped; the previous store is kept."""
    from phoneterm_bridge.store.backup import restore_backup

    with one_sentence():
        store = read_settings(config, overrides).store.path
        restored = restore_backup(file, store, f"cli:{name_user()}", name_place())
    kept = f" The previous store is kept as {restored.kept}." if restored.kept else ""
    typer.echo(f"{store} is restored from {file}, with {restored.head.seq} journal entries.{kept}")
