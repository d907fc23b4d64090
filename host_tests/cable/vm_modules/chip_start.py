"""The chip's start at power-on: mounts its flash, a littlefs in a file, and runs boot.py and main.py from it.

Does not run main.py for a soft reset that ends at the prompt (argument "prompt"), as on the chip.
Arguments: the file, its number of blocks, "run" or "prompt", and a ROMFS image built into MicroPython, or "".
"""

import os
import sys

import vfs
from host_link import link

_BLOCK_BYTES = 4096


class Flash:
    """A block device in a file."""

    def __init__(self, path, blocks):
        self._file = open(path, "r+b")  # noqa: SIM115 - open for life
        self._blocks = blocks

    def readblocks(self, block, buffer, offset=0):
        self._file.seek(block * _BLOCK_BYTES + offset)
        self._file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=0):
        self._file.seek(block * _BLOCK_BYTES + offset)
        self._file.write(buffer)
        self._file.flush()

    def ioctl(self, op, _):
        return {4: self._blocks, 5: _BLOCK_BYTES}.get(op, 0)


def _mount(path, blocks):
    flash = Flash(path, blocks)
    try:
        vfs.mount(vfs.VfsLfs2(flash), "/flash")
    except OSError:
        vfs.VfsLfs2.mkfs(flash)
        vfs.mount(vfs.VfsLfs2(flash), "/flash")
    os.chdir("/flash")


def _run(name):
    if name in os.listdir():
        try:
            execfile(name)  # noqa: F821 - a builtin of MicroPython
        except Exception as error:
            sys.print_exception(error)


link.send("Sawake\n")  # from here on Ctrl-C is for the program
_mount(sys.argv[1], int(sys.argv[2]))
sys.path[0] = ""
if sys.argv[4]:
    with open(sys.argv[4], "rb") as image:
        vfs.mount(vfs.VfsRom(image.read()), "/rom")
    sys.path.append("/rom")
_run("boot.py")
if sys.argv[3] == "run":
    _run("main.py")
