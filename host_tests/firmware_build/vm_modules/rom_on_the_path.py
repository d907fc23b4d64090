"""Puts a ROMFS image on the path, as MicroPython does before boot.py where it was built with one; the image is named by
the environment variable TEST_ROM. Does not import from it.
"""

import os
import sys

import vfs

with open(os.getenv("TEST_ROM"), "rb") as file:
    vfs.mount(vfs.VfsRom(file.read()), "/rom")
sys.path.append("/rom")
