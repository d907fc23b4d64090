"""Cables on which one thing goes wrong; all else is the real cable to the real board behind it."""

from device_cable.cable import Cable
from device_cable.problem import CableLost


class HurriedCable(Cable):
    """Gives a board no time to hear that it is taken away from its terminal."""

    enter_s = 0


class InterruptedCable(Cable):
    """Somebody presses Ctrl-C when the lamp's new file is to be written."""

    def write_file(self, path, content, on_written):
        if path == "phoneterm/device/lamp.py.new":
            raise KeyboardInterrupt
        super().write_file(path, content, on_written)


class GarblingCable(Cable):
    """The last byte of each file arrives as another one."""

    def write_file(self, path, content, on_written):
        super().write_file(path, content[:-1] + b"?", on_written)


class BoastingCable(Cable):
    """The board says that it has a gigabyte free, so that only its file system knows when it is full."""

    def run(self, code, *limits, **more):
        return repr((4096, 10**9)) if "statvfs" in code else super().run(code, *limits, **more)


class CableLostAtTheProof(Cable):
    """The board does not answer any more when it is asked what it has kept."""

    def run(self, code, *limits, **more):
        if "hashlib" in code and "get_blob" in code:
            raise CableLost("The board does not answer.")
        return super().run(code, *limits, **more)
