"""Writes settings into an empty NVS partition, so that a chip finds them at its first start.

Does not read partitions or change one that a chip has used. It fills one page only. The format is Espressif's, see
"NVS internals" in the ESP-IDF programming guide: a page of 4096 bytes is a header, a map with two bits an entry, and
126 entries of 32 bytes. A blob takes an entry, its bytes in the entries after that, and an entry as its index.
"""

import struct
import zlib

PAGE_BYTES = 4096
_ENTRY_BYTES = 32
_ENTRIES = 126
_LONGEST_KEY = 15
_NAMESPACE_INDEX = 1
_ACTIVE, _VERSION_2 = 0xFFFFFFFE, 0xFE
_U8, _BLOB_DATA, _BLOB_INDEX = 0x01, 0x42, 0x48
_NO_CHUNK, _FIRST_CHUNK = 0xFF, 0
_WRITTEN = 0b01  # is subtracted from an empty entry's two bits


def make_page(namespace: str, values: dict[str, bytes]) -> bytes:
    """Return a page with these blobs in a namespace; ValueError when it cannot hold them."""
    entries = [_entry(0, _U8, 1, _NO_CHUNK, namespace, bytes((_NAMESPACE_INDEX,)))]
    for key, value in values.items():
        entries += _blob(key, value)
    if len(entries) > _ENTRIES:
        raise ValueError("the settings do not fit into one page")
    head = struct.pack("<IB19s", 0, _VERSION_2, b"\xff" * 19)  # the first page of all
    used = (1 << 2 * _ENTRIES + 4) - 1
    for index in range(len(entries)):
        used -= _WRITTEN << 2 * index
    page = struct.pack("<I", _ACTIVE) + head + _checksum(head) + used.to_bytes(_ENTRY_BYTES, "little")
    return (page + b"".join(entries)).ljust(PAGE_BYTES, b"\xff")


def _blob(key: str, value: bytes) -> list[bytes]:
    """Return the entries of one value."""
    behind = [value[start : start + _ENTRY_BYTES] for start in range(0, len(value), _ENTRY_BYTES)]
    size = struct.pack("<HH", len(value), 0xFFFF) + _checksum(value)
    index = struct.pack("<IBBH", len(value), 1, _FIRST_CHUNK, 0xFFFF)
    return [
        _entry(_NAMESPACE_INDEX, _BLOB_DATA, 1 + len(behind), _FIRST_CHUNK, key, size),
        *(part.ljust(_ENTRY_BYTES, b"\xff") for part in behind),
        _entry(_NAMESPACE_INDEX, _BLOB_INDEX, 1, _NO_CHUNK, key, index),
    ]


def _entry(namespace: int, kind: int, span: int, chunk: int, key: str, data: bytes) -> bytes:
    name = key.encode("ascii")
    if not 1 <= len(name) <= _LONGEST_KEY:
        raise ValueError(f"the key {key!r} must have 1 to {_LONGEST_KEY} characters")
    start = bytes((namespace, kind, span, chunk))
    end = name.ljust(_LONGEST_KEY + 1, b"\0") + data.ljust(8, b"\xff")
    return start + _checksum(start + end) + end


def _checksum(data: bytes) -> bytes:
    return struct.pack("<I", zlib.crc32(data, 0xFFFFFFFF))
