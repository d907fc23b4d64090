"""The unix port's `os`, and the ESP32's name of itself, which the test chooses.

Does not change anything else.
"""

from collections import namedtuple

from uos import *  # noqa: F403
from uos import getenv

_Uname = namedtuple("uname", ("sysname", "nodename", "release", "version", "machine"))


def uname():
    """Return what a MicroPython on an ESP32 says of itself."""
    platform, release, machine = getenv("TEST_UNAME").split("|")
    return _Uname(platform, platform, release, "v" + release + " on 2026-07-05", machine)
