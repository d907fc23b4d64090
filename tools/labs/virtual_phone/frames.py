"""The protocol between the simulated chip and the phone around it, from the phone's side.

Does not send or receive. Phone to chip: frames of 18 bytes, a kind, 16 characters padded with spaces and a newline:
  M  sixteen hex digits: the columns that read low for each bit mask of rows driven low
  H  1 when the receiver is off the hook, else 0
  W  four digits: the status of the Wi-Fi station
Chip to phone: lines of a kind and fields separated by tabs, see REPORTS; unused bytes are 0.
A wrong line is a value, None.
"""

from collections.abc import Sequence
from typing import NamedTuple

# Kind: name, number of fields, whether they are whole numbers.
REPORTS = {
    "L": ("lamp", 1, True),  # 1 on, 0 off
    "T": ("tone", 1, True),  # Hz, 0 silent
    "D": ("display", 2, False),
    "I": ("bus", 1, False),  # one write to a display's bus, in hex
    "S": ("signal", 1, False),
    "C": ("wifi-join", 2, False),  # name and password of the access point
    "Q": ("wifi-leave", 1, False),
    "N": ("nvs-set", 3, False),  # namespace, key, value in hex
    "E": ("nvs-erase", 2, False),
    "G": ("watchdog", 1, False),  # "" fed, otherwise started with this many ms
    "R": ("reset", 1, False),
    "Y": ("rtc", 1, False),  # the whole memory of the real-time clock, in hex
    "!": ("warning", 1, False),
}


class Report(NamedTuple):
    """One report from the chip."""

    name: str
    fields: tuple[str, ...]


def matrix_frame(lows: Sequence[int]) -> bytes:
    """Return the frame that tells the chip its matrix."""
    return _frame("M", "".join(f"{low:x}" for low in lows))


def hook_frame(is_off_hook: bool) -> bytes:
    """Return the frame that tells the chip whether the receiver is off the hook."""
    return _frame("H", str(int(is_off_hook)))


def wifi_frame(status: int) -> bytes:
    """Return the frame that tells the chip the status of its Wi-Fi station."""
    return _frame("W", f"{status:04d}")


def parse_report(line: bytes) -> Report | None:
    """Return the report in a line from the chip, or None for an unknown one."""
    text = line.rstrip(b"\n").replace(b"\0", b"").decode(errors="replace")
    known = REPORTS.get(text[:1])
    if known is None:
        return None
    name, count, is_number = known
    fields = tuple(text[1:].split("\t"))
    if len(fields) != count or (is_number and not fields[0].isdecimal()):
        return None
    return Report(name, fields)


def _frame(kind: str, text: str) -> bytes:
    return f"{kind}{text:<16}\n".encode()
