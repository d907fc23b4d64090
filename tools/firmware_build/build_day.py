"""Puts the day of the build into the firmware, which believes no clock from before it.

Does not read files. SOURCE_DATE_EPOCH (seconds since 1970, as reproducible builds use it) names another day.
A computer whose own clock is older than the sources does not set the day back.
"""

import os
import re
import time

MODULE = "phoneterm.device.clock"  # whose BUILT_DAY it is
_LINE = re.compile(r"^BUILT_DAY = (\d+)", re.MULTILINE)
_DAY_S = 86400
_DAYS_TO_2000 = 10957  # from 1970


class BadBuildDay(Exception):
    """SOURCE_DATE_EPOCH is not a number; the sentence says so."""


def find_build_day() -> int:
    """Return today, or the day in SOURCE_DATE_EPOCH, in days since 2000-01-01 (UTC)."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if text and not text.isdecimal():
        raise BadBuildDay(f"SOURCE_DATE_EPOCH must be seconds since 1970, and is {text[:40]!r}.")
    return int(int(text or time.time()) // _DAY_S) - _DAYS_TO_2000


def write_build_day(source: str, day: int) -> str:
    """Return the source of MODULE with this day, unless its own is later."""
    return _LINE.sub(lambda found: f"BUILT_DAY = {max(day, int(found[1]))}", source)
