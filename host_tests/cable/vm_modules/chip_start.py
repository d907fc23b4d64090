"""The chip's start at power-on: mounts its flash, a littlefs in a file, and runs boot.py and main.py from it.

No display is plugged in at its I2C bus.
Does not run main.py for a soft reset that ends at the prompt (argument "prompt"), as on the chip.
Arguments: the file, its number of blocks, "run" or "prompt", a ROMFS image built into MicroPython, or "", and a file
to which every erased block and every write is appended, or "".
"""

import os
import struct
import sys

import machine
import vfs
from host_link import link

_BLOCK_BYTES = 4096
_LEAST_PERIOD_MS = int(os.getenv("TEST_LEAST_PERIOD_MS") or 0)
_init = machine.Timer.init


class Flash:
    """A block device in a file."""

    def __init__(self, path, blocks, log):
        self._file = open(path, "r+b")  # noqa: SIM115 - open for life
        self._log = open(log, "ab") if log else None  # noqa: SIM115 - open for life
        self._blocks = blocks

    def readblocks(self, block, buffer, offset=0):
        self._file.seek(block * _BLOCK_BYTES + offset)
        self._file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=0):
        self._file.seek(block * _BLOCK_BYTES + offset)
        self._file.write(buffer)
        self._file.flush()
        if self._log:
            self._log.write(struct.pack("<II", block * _BLOCK_BYTES + offset, len(buffer)) + bytes(buffer))
            self._log.flush()

    def ioctl(self, op, block):
        if op == 6 and self._log:  # erase
            self.writeblocks(block, b"\xff" * _BLOCK_BYTES)
        return {4: self._blocks, 5: _BLOCK_BYTES}.get(op, 0)


class UnpluggedBus:
    """An I2C bus without a device on it."""

    def __init__(self, number, scl, sda):
        pass

    def writeto(self, address, output):
        raise OSError(19)


class UnhurriedTimer(machine.Timer):
    """A timer with no period under TEST_LEAST_PERIOD_MS: many boards on one computer look at their keypads less often.

    A look every 15 ms is as often as the firmware needs to miss no key.
    """

    def init(self, *, mode, period, callback):
        _init(self, mode=mode, period=max(period, _LEAST_PERIOD_MS), callback=callback)


def _mount(path, blocks, log):
    flash = Flash(path, blocks, log)
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


machine.I2C = UnpluggedBus
if _LEAST_PERIOD_MS:
    machine.Timer = UnhurriedTimer
link.send("Sawake\n")  # from here on Ctrl-C is for the program
_mount(sys.argv[1], int(sys.argv[2]), sys.argv[5])
sys.path[0] = ""
if sys.argv[4]:
    with open(sys.argv[4], "rb") as image:
        vfs.mount(vfs.VfsRom(image.read()), "/rom")
    sys.path.append("/rom")
_run("boot.py")
if sys.argv[3] == "run":
    _run("main.py")
