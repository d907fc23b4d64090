"""Minimal images of MicroPython with ESP-IDF's layout, for tests that read or write them.

Does not make one that a chip would start.
"""

import hashlib
import struct

OURS = b"asyncio/core.py\0phoneterm/app.py\0phoneterm/assembly.py\0"
_NVS, _OTA_DATA = (1, 2, 0x9000, 0x4000), (1, 0, 0xD000, 0x2000)
TWO_SLOTS = (_NVS, _OTA_DATA, (0, 0x10, 0x10000, 0x180000), (0, 0x11, 0x190000, 0x180000))
ONE_SLOT = (_NVS, (0, 0, 0x10000, 0x1F0000))


def make_whole_image(flash_offset=0x1000, chip=0, partitions=TWO_SLOTS, names=OURS, application_bytes=1024):
    """Return an image that is written to `flash_offset`, for the chip with this number."""
    header = struct.pack("<BBBBIBBBBH9xB", 0xE9, 1, 2, 0x20, 0x40080000, 0xEE, 0, 0, 0, chip, 1)
    image = bytearray(b"\xff" * (0x10000 - flash_offset))
    image[: len(header)] = header
    table = b"".join(struct.pack("<HBBII20x", 0x50AA, *partition) for partition in partitions)
    image[0x8000 - flash_offset : 0x8000 - flash_offset + len(table)] = table
    segment_bytes = application_bytes - len(header) - 8 - 1 - 32  # its own header, the check byte, the SHA-256
    application = header + struct.pack("<II", 0x3F400020, segment_bytes) + names.ljust(segment_bytes, b"\0") + b"\xef"
    return bytes(image) + application + hashlib.sha256(application).digest()
