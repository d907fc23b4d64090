"""Finds the serial port of the board. Does not open it.

Without a name only USB ports count: a computer's built-in ports are no boards. A name may also be a URL of pyserial
(socket://..., rfc2217://...).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from device_cable.problem import CableProblem


class Port(Protocol):
    """The attributes of a port that are used; pyserial's ListPortInfo has them."""

    device: str
    description: str
    vid: int | None


def find_port(name: str | None, ports: Iterable[Port]) -> str:
    """Return the port to use: the named one, or the only one at USB; CableProblem when there is none or several."""
    at_usb = [port for port in ports if port.vid is not None]
    listed = ", ".join(f"{port.device} ({port.description})" for port in sorted(at_usb, key=lambda one: one.device))
    if name:
        if "://" not in name and not Path(name).exists():
            there = f"there are {listed}" if listed else "there is none at USB: plug the board in with a data cable"
            raise CableProblem(f"There is no serial port {name}; {there}.")
        return name
    if not at_usb:
        raise CableProblem(
            "There is no board at USB: plug it in with a cable that carries data (not only power), or name its port "
            "with PORT= (--port)."
        )
    if len(at_usb) > 1:
        raise CableProblem(f"There are several boards: name one with PORT= (--port): {listed}.")
    return at_usb[0].device
