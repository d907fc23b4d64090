"""Reads compiled modules and computes what lies on the heap with ROMFS but in flash with a frozen image.

Does not run or change them. A module that runs from ROMFS has its byte code and texts in place; on the heap it keeps a
table of its names and constants, and an object for each text. In a frozen image those are in flash too, and so are the
names of the files and the names themselves, which otherwise fill pools that double.
Sizes are those of a 32-bit MicroPython: blocks of 16 bytes.
Source: MicroPython's py/persistentcode.c (the format, version 6) and py/qstr.c (the pools).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 16
_WORD = 4
_SHORT_NAME = 2
_POOL_ENTRY = 7  # of a name: its address, hash and length
_FIRST_POOL = 20
_TEXT, _BYTES, _TUPLE = 5, 6, 10
_NO_CONTENT = 5  # kinds of constants below are None, False and their like


@dataclass(frozen=True)
class Tables:
    """Of one module: the heap bytes of its tables and constants, and its names."""

    heap_bytes: int
    names: frozenset[str]


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def read(self, count: int) -> bytes:
        self._at += count
        return self._content[self._at - count : self._at]

    def number(self) -> int:
        value = 0
        while True:
            octet = self.read(1)[0]
            value = value << 7 | octet & 127
            if octet < 128:
                return value


def read_tables(path: Path) -> Tables:
    """Return the tables of one compiled module."""
    reader = _Reader(path.read_bytes())
    if reader.read(2) != b"M\x06":
        raise ValueError(f"{path} is not a compiled module of version 6")
    reader.read(2)
    name_count, constant_count = reader.number(), reader.number()
    names = [_read_name(reader) for _ in range(name_count)]
    words = -(-name_count * _SHORT_NAME // _WORD) + constant_count
    constants = sum(_read_constant(reader) for _ in range(constant_count))
    return Tables(_blocks(words * _WORD) + constants, frozenset(filter(None, names)))


def pool_bytes(name_count: int) -> int:
    """Return the bytes of the pools for this many names."""
    capacity, size = 0, _FIRST_POOL
    while capacity < name_count:
        capacity += size
        size *= 2
    return capacity * _POOL_ENTRY


def flash_bytes(modules: Iterable[Path], kept_names: Iterable[str]) -> int:
    """Return the heap bytes that are there only because the modules run from ROMFS instead of being frozen.

    `kept_names`: every name that the VM keeps on its heap while they run.
    """
    tables = [read_tables(path) for path in modules]
    names = list(kept_names)
    in_flash = frozenset().union(*(table.names for table in tables))
    others = [name for name in names if name not in in_flash and "phoneterm" not in name]
    files = sum(len(name) + 1 for name in names if name.startswith("/rom/phoneterm"))
    return sum(table.heap_bytes for table in tables) + files + pool_bytes(len(names)) - pool_bytes(len(others))


def _read_name(reader: _Reader) -> str | None:
    """Return a name, or None for one that every MicroPython has."""
    length = reader.number()
    return None if length & 1 else reader.read((length >> 1) + 1)[:-1].decode()


def _read_constant(reader: _Reader) -> int:
    """Return the heap bytes of a constant, without its entry in the table."""
    kind = reader.read(1)[0]
    if kind < _NO_CONTENT:
        return 0
    length = reader.number()
    if kind == _TUPLE:
        return _blocks((2 + length) * _WORD) + sum(_read_constant(reader) for _ in range(length))
    reader.read(length + (kind in (_TEXT, _BYTES)))
    return _BLOCK if length else 0


def _blocks(count: int) -> int:
    return -(-count // _BLOCK) * _BLOCK
