"""Makes the file that is an emulated chip's flash: MicroPython, settings, and the files of its file system.

Does not build the firmware's files and starts nothing. The layout is that of MicroPython's image for 4 MB. The chip
writes to this file as to a flash, so its content outlives a power cut.
"""

import lzma
from pathlib import Path

from lab_parts.chip import MICROPYTHON
from lab_parts.parts import PartMissing
from littlefs import LittleFS

from chip_lab.nvs_partition import make_page

FLASH_BYTES = 4 * 1024 * 1024
_MICROPYTHON_AT = 0x1000
_SETTINGS_AT = 0x9000
_FILES_AT = 0x200000
_BLOCK_BYTES = 4096
_NAMESPACE = "phoneterm"


def make_flash(path: Path, micropython: bytes, files: dict[str, bytes], settings: dict[str, str]) -> None:
    """Write a flash with this image of MicroPython; without files it gets an empty file system at its first start."""
    flash = bytearray(b"\xff" * FLASH_BYTES)
    flash[_MICROPYTHON_AT : _MICROPYTHON_AT + len(micropython)] = micropython
    if settings:
        page = make_page(_NAMESPACE, {key: text.encode() for key, text in settings.items()})
        flash[_SETTINGS_AT : _SETTINGS_AT + len(page)] = page
    if files:
        flash[_FILES_AT:] = _file_system(files)
    path.write_bytes(flash)


def read_micropython(folder: Path) -> bytes:
    """Return the newest image of MicroPython in a folder that has one; PartMissing when it cannot be unpacked."""
    path = max(folder.glob(MICROPYTHON))
    content = path.read_bytes()
    try:
        return lzma.decompress(content) if path.suffix == ".xz" else content
    except lzma.LZMAError as error:
        raise PartMissing(f"{path} cannot be unpacked ({error}): get it anew.") from None


def _file_system(files: dict[str, bytes]) -> bytes:
    blocks = (FLASH_BYTES - _FILES_AT) // _BLOCK_BYTES
    system = LittleFS(block_size=_BLOCK_BYTES, block_count=blocks, read_size=32, prog_size=32)
    for name, content in files.items():
        folder = name.rpartition("/")[0]
        if folder:
            system.makedirs(folder, exist_ok=True)
        with system.open(name, "wb") as file:
            file.write(content)
    return bytes(system.context.buffer)
