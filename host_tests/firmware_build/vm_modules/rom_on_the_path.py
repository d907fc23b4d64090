"""Puts a ROMFS image on the path, as MicroPython does before boot.py if it was built with one. The environment variable
TEST_ROM names the image. Does not import from it.
"""

import os
import sys

import vfs

with open(os.getenv("TEST_ROM"), "rb") as file:
    vfs.mount(vfs.VfsRom(file.read()), "/rom")
sys.path.append("/rom")
