"""Reads an image of MicroPython for a chip's flash: which chip, which slots, and whether the firmware is frozen in.

Does not make or write one. The layout is ESP-IDF's: the boot loader comes first, with the chip's number in its header;
the partition table is at 0x8000 of the flash, 32 bytes for each entry; the application is in the first slot. It says
how many segments it has, and each segment how long it is; a check byte ends it, and a SHA-256 if the header says so.
Anything else raises NotAnImage, with a sentence. Offsets and sizes are bytes.
"""

import hashlib
import struct
from dataclasses import dataclass

_MAGIC = 0xE9
_CHIP_AT = 12
_TABLE_AT = 0x8000
_HEADER_BYTES = 24
_SEGMENTS_AT, _HAS_DIGEST_AT = 1, 23
_SEGMENT = struct.Struct("<II")
_ALIGNED_TO = 16
_MOST_ENTRIES = 95
_ENTRY = struct.Struct("<HBBII")
_ENTRY_BYTES = 32
_ENTRY_MAGIC = 0x50AA
_APPLICATION = 0
_CHIPS = {0: "esp32", 2: "esp32s2", 5: "esp32c3", 9: "esp32s3", 12: "esp32c2", 13: "esp32c6", 16: "esp32h2",
          18: "esp32p4", 23: "esp32c5"}  # fmt: skip
_NO_IMAGE = "is no image of MicroPython that begins with the chip's boot loader"
_OURS = b"phoneterm/assembly.py\0"  # MicroPython stores the names of frozen modules like this


class NotAnImage(Exception):
    """The file is not an image; the sentence says why."""


@dataclass(frozen=True)
class FlashImage:
    """An image: its chip ("esp32"), how many application slots it has, and how full the first one is."""

    mcu: str
    slots: int
    slot_bytes: int
    application_bytes: int
    has_firmware: bool


def read_mcu(content: bytes) -> str:
    """Return the chip that an image is for; NotAnImage when it is none, or for a chip that is not known here."""
    if len(content) < _HEADER_BYTES or content[0] != _MAGIC:
        raise NotAnImage(_NO_IMAGE)
    (number,) = struct.unpack_from("<H", content, _CHIP_AT)
    if number not in _CHIPS:
        raise NotAnImage(f"is for a chip that is not known here (number {number})")
    return _CHIPS[number]


def parse_flash_image(content: bytes, flash_offset: int) -> FlashImage:
    """Return the image that begins at `flash_offset` of the flash; NotAnImage when it cannot start there."""
    mcu = read_mcu(content)
    if len(content) <= _TABLE_AT - flash_offset:
        raise NotAnImage(_NO_IMAGE)
    slots = _read_slots(content, _TABLE_AT - flash_offset)
    if not slots:
        raise NotAnImage(f"has no table of partitions where one that is written to {flash_offset:#x} has it")
    start, slot_bytes = slots[0]
    application = content[start - flash_offset :]
    if application[:1] != bytes((_MAGIC,)):
        raise NotAnImage("has no application in its first slot: it is not complete")
    if len(application) > slot_bytes:
        raise NotAnImage(f"is {len(application) - slot_bytes} bytes longer than its first slot")
    if not _is_whole(application):
        raise NotAnImage("is damaged or cut off: get it anew")
    return FlashImage(mcu, len(slots), slot_bytes, len(application), _OURS in application)


def _is_whole(application: bytes) -> bool:
    """Say whether all segments of an application are there, and are what its SHA-256 says."""
    end = _HEADER_BYTES
    for _ in range(application[_SEGMENTS_AT] if len(application) > _HEADER_BYTES else 0):
        if len(application) < end + _SEGMENT.size:
            return False
        _, size = _SEGMENT.unpack_from(application, end)
        end += _SEGMENT.size + size
    end += _ALIGNED_TO - end % _ALIGNED_TO  # the check byte is the last one
    if len(application) < end or not application[_HAS_DIGEST_AT]:
        return len(application) >= end
    digest = hashlib.sha256(application[:end]).digest()
    return application[end : end + len(digest)] == digest


def _read_slots(content: bytes, table_at: int) -> list[tuple[int, int]]:
    """Return offset and size of each application partition."""
    slots = []
    for index in range(_MOST_ENTRIES):
        entry = content[table_at + index * _ENTRY_BYTES :][: _ENTRY.size]
        if len(entry) < _ENTRY.size:
            break
        magic, kind, _, offset, size = _ENTRY.unpack(entry)
        if magic != _ENTRY_MAGIC:
            break
        if kind == _APPLICATION:
            slots.append((offset, size))
    return slots
