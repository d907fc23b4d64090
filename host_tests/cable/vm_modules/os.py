"""The unix port's `os`, with the `uname` of an ESP32, which the test chooses.

Does not change anything else.
"""

from collections import namedtuple

from uos import *  # noqa: F403
from uos import getenv

_Uname = namedtuple("uname", ("sysname", "nodename", "release", "version", "machine"))


def uname():
    """Return the answer of a MicroPython on an ESP32."""
    platform, release, machine = getenv("TEST_UNAME").split("|")
    return _Uname(platform, platform, release, "v" + release + " on 2026-07-05", machine)
