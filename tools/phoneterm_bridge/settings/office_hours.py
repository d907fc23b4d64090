"""Office hours: reads them from a text and says whether a moment is within them. Does not read a clock.

An example is "mo-fr 08:00-18:00, sa 09:00-12:00": days, then the first minute within office hours and the first one
after them, in local time; 24:00 is the end of the day. An empty text means always. A wrong text is a ValueError of one
sentence.
"""

import re
from datetime import datetime
from typing import NamedTuple

_DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
_PART = re.compile(r"([a-z]{2})(?:-([a-z]{2}))? (\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII)
_DAY_MINUTES = 24 * 60


class Hours(NamedTuple):
    """One period on a day of the week (0 is Monday), in minutes since midnight."""

    day: int
    from_minute: int
    to_minute: int


def read_hours(text: str) -> tuple[Hours, ...]:
    """Return the periods in a text; none for an empty one."""
    return tuple(hours for part in text.split(",") if text.strip() for hours in _read_part(part.strip().lower()))


def is_within(hours: tuple[Hours, ...], moment: datetime) -> bool:
    """Return whether a local time is within office hours; without any it always is."""
    minute = moment.hour * 60 + moment.minute
    return not hours or any(one.day == moment.weekday() and one.from_minute <= minute < one.to_minute for one in hours)


def _read_part(part: str) -> list[Hours]:
    found = _PART.fullmatch(part)
    if found is None:
        raise ValueError(f"office hours are written as mo-fr 08:00-18:00, not as {part!r}")
    first, last = found[1], found[2] or found[1]
    if first not in _DAYS or last not in _DAYS or _DAYS.index(first) > _DAYS.index(last):
        raise ValueError(f"the days of office hours are from {' '.join(_DAYS)}, in this order, not {part!r}")
    from_minute, to_minute = (int(found[at]) * 60 + int(found[at + 1]) for at in (3, 5))
    if int(found[4]) > 59 or int(found[6]) > 59 or not from_minute < to_minute <= _DAY_MINUTES:
        raise ValueError(f"office hours end after they begin, on the same day, unlike {part!r}")
    return [Hours(day, from_minute, to_minute) for day in range(_DAYS.index(first), _DAYS.index(last) + 1)]
