"""What is stuck on a board once it is a terminal: its extension, its id, and its address in the Wi-Fi.

Does not print it on paper or know the network. The address (MAC) is the chip's own, under which it appears there.
"""

import ast

from device_cable.cable import Cable
from device_cable.problem import CableProblem

_READ_MAC = "import machine\nprint(repr(machine.unique_id()))"


def read_mac(cable: Cable) -> str:
    """Return the address of the board's chip: 24:6F:28:AA:BB:CC."""
    try:
        address = ast.literal_eval(cable.run(_READ_MAC).strip())
        return ":".join(f"{byte:02X}" for byte in address)
    except (ValueError, SyntaxError, TypeError):
        raise CableProblem(f"The board at {cable.port} does not say its address (MAC).") from None


def make_label(extension: str, tid: str, mac: str) -> str:
    """Return a label of three lines in a frame."""
    lines = (f"extension {extension}", tid, f"MAC {mac}")
    width = max(len(line) for line in lines)
    frame = f"+{'-' * (width + 2)}+"
    return "\n".join([frame, *(f"| {line:{width}} |" for line in lines), frame])
