"""What the commands find at hand: the serial ports of this computer, and how one is opened.

Does not open anything by itself. Whoever calls the commands with a Desk of their own as the context's object (typer's
`obj`) has them use that one.
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
        """Return the port to use: the one named, or the only one at USB; CableProblem where there is no such one."""
        return find_port(name, self.list_ports())


def find_desk(context: typer.Context) -> Desk:
    """Return the Desk of a command."""
    return context.find_object(Desk) or Desk()
