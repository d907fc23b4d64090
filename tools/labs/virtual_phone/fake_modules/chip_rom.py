"""Mounts the ROM of the simulated chip: modules run from memory outside the heap, as from mapped flash on a chip.

Does not say what is in it. Only the 32-bit MicroPython can do this: it calls the C library. The caller then drops this
module.
"""

import os
import sys

import ffi
import uctypes
import vfs


def mount(path):
    """Mount a ROMFS image at /rom, and import from there instead of this folder."""
    size = os.stat(path)[6]
    rom = uctypes.bytearray_at(ffi.open(None).func("p", "malloc", "I")(size), size)
    with open(path, "rb") as file:
        file.readinto(rom)
    vfs.mount(vfs.VfsRom(rom), "/rom")
    sys.path[0] = "/rom"
