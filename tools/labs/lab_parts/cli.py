"""`phoneterm parts`: the real servers and endpoints that the lab and the tests use."""

import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer

from lab_parts import chip, chromium, debian_root, nginx, npm_packages, parts, stock_modules

_INSTALL = {
    parts.OLDER_MOSQUITTO: debian_root.install_older_mosquitto,
    parts.MICROPYTHON_32: debian_root.install_micropython_32,
    parts.DEBIAN_SERVER: debian_root.install_server,
}
app = typer.Typer(
    help="Asterisk, SIPp, mosquitto and a 32-bit MicroPython for the lab and the tests.", no_args_is_help=True
)


@app.command()
def install(
    if_possible: Annotated[bool, typer.Option(help="Say what cannot be installed and go on.")] = False,
    tests: Annotated[
        bool, typer.Option("--tests", help="Also a browser, another mosquitto, MicroPython and a bare Debian.")
    ] = False,
) -> None:
    """Make sure that Asterisk, SIPp, mosquitto and umqtt.simple can be used here, and a chip that ESP32_CHIP names."""
    try:
        stock_modules.install()
    except parts.PartMissing as absent:
        typer.echo(str(absent), err=True)
        if not if_possible:
            raise typer.Exit(1) from None
    if chip.is_named():
        _install_libraries(if_possible)
    if tests:
        _install_for_pages(if_possible)
    missing = [name for name in _missing() if tests or name not in parts.OF_TESTS]
    if not missing:
        return
    if if_possible and os.geteuid() != 0:
        typer.echo(f"Not installed: {', '.join(missing)}. Tests that need them are skipped and listed at the end.")
        return
    root = parts.default_root()
    try:
        if any(name not in parts.OF_TESTS for name in missing):
            typer.echo(f"Installing {', '.join(debian_root.PACKAGES)} into {root} (once, about half a minute) ...")
            debian_root.install(root)
        for name in parts.OF_TESTS:
            if name in missing:
                typer.echo(f"Installing {name} into {parts.root_of(name)} (once, up to a minute) ...")
                _INSTALL[name](parts.root_of(name))
    except debian_root.InstallFailed as failure:
        typer.echo(str(failure), err=True)
        if not if_possible:
            raise typer.Exit(1) from None


def _install_for_pages(if_possible: bool) -> None:
    """Install what the tests of pages need: a browser, packages of npm, and a reverse proxy."""
    for one in (chromium, npm_packages, nginx):
        try:
            one.install()
        except (parts.PartMissing, OSError) as absent:
            typer.echo(str(absent), err=True)
            if not if_possible:
                raise typer.Exit(1) from None


def _install_libraries(if_possible: bool) -> None:
    """Install the libraries that the emulated chip needs."""
    try:
        chip.install()
    except (parts.PartMissing, OSError) as absent:
        typer.echo(str(absent), err=True)
        if not if_possible:
            raise typer.Exit(1) from None


@app.command("list")
def list_parts(as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False) -> None:
    """Say for each part where it is, or how to get it."""
    finders: dict[str, Callable[[], object]] = {name: partial(_find_program, name) for name in parts.NAMES}
    finders |= {"umqtt.simple": stock_modules.find, "emulated ESP32": chip.find}
    finders |= {"chromium": chromium.find, "npm packages": npm_packages.find}
    listed = []
    for name, find in finders.items():
        try:
            where, missing = str(find()), None
        except parts.PartMissing as absent:
            where, missing = None, str(absent)
        listed.append({"part": name, "where": where, "missing": missing})
    if as_json:
        typer.echo(json.dumps(listed, indent=2))
        return
    for one in listed:
        typer.echo(f"{one['part']}: {one['where'] or one['missing']}")


def _find_program(name: str) -> str:
    return " ".join(parts.find(name).argv)


def _missing() -> list[str]:
    missing = [] if shutil.which("openssl") else ["openssl"]
    for name in parts.NAMES:
        try:
            parts.find(name)
        except parts.PartMissing:
            missing.append(name)
    return missing
