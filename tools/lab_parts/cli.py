"""`phoneterm parts`: the real servers and endpoints that the lab and the tests use."""

import os
import shutil
from typing import Annotated

import typer

from lab_parts import debian_root, parts

app = typer.Typer(help="Asterisk, SIPp and mosquitto for the lab and the tests.", no_args_is_help=True)


@app.command()
def install(
    if_possible: Annotated[bool, typer.Option(help="Without root, say what will be skipped and go on.")] = False,
) -> None:
    """Make sure that Asterisk, SIPp and mosquitto can be used here."""
    if not _missing():
        return
    if if_possible and os.geteuid() != 0:
        typer.echo(f"Not installed: {', '.join(_missing())}. Tests that need them are skipped and listed at the end.")
        return
    root = parts.default_root()
    typer.echo(f"Installing {', '.join(debian_root.PACKAGES)} into {root} (once, about half a minute) ...")
    try:
        debian_root.install(root)
    except debian_root.InstallFailed as failure:
        typer.echo(str(failure), err=True)
        raise typer.Exit(1) from None


@app.command("list")
def list_parts() -> None:
    """Say for each part where it is, or how to get it."""
    for name in parts.NAMES:
        try:
            typer.echo(f"{name}: {' '.join(parts.find(name).argv)}")
        except parts.PartMissing as missing:
            typer.echo(f"{name}: {missing}")


def _missing() -> list[str]:
    missing = [] if shutil.which("openssl") else ["openssl"]
    for name in parts.NAMES:
        try:
            parts.find(name)
        except parts.PartMissing:
            missing.append(name)
    return missing
