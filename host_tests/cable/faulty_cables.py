"""Cables on which one thing goes wrong; otherwise they are the real cable to the board."""

from device_cable.cable import Cable
from device_cable.problem import CableLost


class HurriedCable(Cable):
    """Gives a board no time to react to `enter`."""

    enter_s = 0


class ShortCable(Cable):
    """Gives a board less time, but enough for a few attempts."""

    enter_s = 5.0


class GarblingReader(Cable):
    """What is read from the board arrives changed."""

    def run(self, code, *limits, **more):
        printed = super().run(code, *limits, **more)
        return printed.replace("70", "71") if "file.seek" in code else printed


class InterruptedCable(Cable):
    """Somebody presses Ctrl-C just before the lamp's new file is written."""

    def write_file(self, path, content, on_written):
        if path == "phoneterm/device/lamp.py.new":
            raise KeyboardInterrupt
        super().write_file(path, content, on_written)


class GarblingCable(Cable):
    """The last byte of each file arrives changed."""

    def write_file(self, path, content, on_written):
        super().write_file(path, content[:-1] + b"?", on_written)


class BoastingCable(Cable):
    """The board reports a gigabyte of free space, so only its file system notices when it is full."""

    def run(self, code, *limits, **more):
        return repr((4096, 10**9)) if "statvfs" in code else super().run(code, *limits, **more)


class CableLostAtTheProof(Cable):
    """The board stops answering when it should prove its files."""

    def run(self, code, *limits, **more):
        if "hashlib" in code and "get_blob" in code:
            raise CableLost("The board does not answer.")
        return super().run(code, *limits, **more)
