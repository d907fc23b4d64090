"""Reads and writes traces: what the 16 contacts of a keypad did, and when nothing ran to see it.

Does not interpret a trace; `replay` does. A file of any size is read line by line.
A trace is CSV with the header `time_us,contacts,stall_us`. A row is valid from its time until the next row's. time_us
is a whole number of microseconds from any origin and never less than in the row before; contacts is the 16-bit map,
bit row * 4 + column, decimal or 0x and hex; a stall_us other than 0 means that nothing ran for that long from then on.
An error in a file raises TraceError with one sentence: the line, the error, and the remedy.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TextIO

HEADER = "time_us,contacts,stall_us"
MOST_CONTACTS = 0xFFFF
MOST_TIME_US = 1 << 62
_MOST_LINE_CHARS = 200


class TraceRow(NamedTuple):
    """One line of a trace."""

    time_us: int
    contacts: int
    stall_us: int = 0


class TraceError(Exception):
    """A trace has an error; the sentence says where and what to do."""


def read_rows(file: TextIO) -> Iterator[TraceRow]:
    """Yield the rows of an open trace, or raise TraceError at the first line that is wrong."""
    header = _read_line(file, 1)
    if header.removeprefix("\ufeff").replace(" ", "").replace('"', "").lower() != HEADER:
        raise TraceError(f"Line 1 must be the header {HEADER}: add it, or name another file.")
    number = 1
    last_us = 0
    while line := file.readline(_MOST_LINE_CHARS):
        number += 1
        if not line.strip():
            continue
        row = _parse(_checked(line, number), number)
        if row.time_us < last_us:
            raise TraceError(
                f"Line {number}: time_us goes back from {last_us} to {row.time_us}; put the rows in order of time."
            )
        last_us = row.time_us
        yield row


def write_rows(file: TextIO, rows: Iterable[TraceRow]) -> int:
    """Write the header and the rows; return how many rows."""
    count = 0
    file.write(HEADER + "\n")
    for row in rows:
        file.write(f"{row.time_us},{row.contacts},{row.stall_us}\n")
        count += 1
    return count


def _read_line(file: TextIO, number: int) -> str:
    return _checked(file.readline(_MOST_LINE_CHARS), number).strip()


def _checked(line: str, number: int) -> str:
    if len(line) == _MOST_LINE_CHARS and not line.endswith("\n"):
        raise TraceError(f"Line {number} is longer than {_MOST_LINE_CHARS} characters; is this a trace?")
    return line


def _parse(line: str, number: int) -> TraceRow:
    fields = [field.strip().strip('"') for field in line.split(",")]
    if len(fields) != 3:
        raise TraceError(f"Line {number} has {len(fields)} fields, not 3; write it as {HEADER}.")
    time_us = _whole_number(fields[0])
    if time_us is None or time_us > MOST_TIME_US:
        raise TraceError(f"Line {number}: time_us {fields[0]!r} must be a whole number of microseconds, 0 or more.")
    contacts = _bit_map(fields[1])
    if contacts is None or contacts > MOST_CONTACTS:
        raise TraceError(f"Line {number}: contacts {fields[1]!r} must be 0 to 65535, or 0x0 to 0xffff.")
    stall_us = _whole_number(fields[2])
    if stall_us is None or stall_us > MOST_TIME_US:
        raise TraceError(f"Line {number}: stall_us {fields[2]!r} must be a whole number of microseconds, or 0.")
    return TraceRow(time_us, contacts, stall_us)


def _whole_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _bit_map(text: str) -> int | None:
    if text[:2] in ("0x", "0X"):
        digits = text[2:].lower()
        return int(digits, 16) if digits and not digits.strip("0123456789abcdef") else None
    return _whole_number(text)
