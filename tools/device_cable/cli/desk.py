"""The environment of the commands: the serial ports of this computer, and how to open one.

Does not open anything by itself. A caller can pass a Desk of its own to the commands as the context's object (typer's
`obj`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import typer
from serial.tools import list_ports

from device_cable.cable import Cable
from device_cable.ports import Port, find_port


@dataclass(frozen=True)
class Desk:
    """One computer with its ports."""

    list_ports: Callable[[], Iterable[Port]] = list_ports.comports
    open_cable: Callable[[str], Cable] = Cable

    def find_port(self, name: str | None) -> str:
        """Return the port to use: the named one, or the only one at USB; CableProblem if there is none."""
        return find_port(name, self.list_ports())


def find_desk(context: typer.Context) -> Desk:
    """Return the Desk of a command."""
    return context.find_object(Desk) or Desk()
