"""Writes times for people, always with year and zone, and reads the time that somebody names. Reads no clock.

Times are milliseconds since 1970; people see and name local time.
"""

from datetime import datetime, timedelta

from phoneterm_bridge.settings.problem import SetupProblem

_FORMS = ("%H:%M", "%H:%M:%S")


def write_time(at_ms: int) -> str:
    """Return a time as in a list: 2026-03-02 14:05:12 CET."""
    return f"{_local(at_ms):%Y-%m-%d %H:%M:%S %Z}"


def say_time(at_ms: int) -> str:
    """Return a time as in a sentence: Monday, 2 March 2026 at 14:05:12 CET."""
    at = _local(at_ms)
    return f"{at:%A, %-d %B %Y} at {at:%H:%M:%S %Z}"


def say_minute(at_ms: int) -> str:
    """Return a time in a sentence, to the minute: 2 March 2026 at 14:05 CET."""
    at = _local(at_ms)
    return f"{at:%-d %B %Y} at {at:%H:%M %Z}"


def read_moment(text: str, now: datetime) -> datetime:
    """Return the local time that a text means; without a date it is the nearest past one with this clock reading.

    SetupProblem for a time that is still to come, or that is none.
    """
    for form in _FORMS:
        try:
            clock = datetime.strptime(text, form).time()
        except ValueError:
            continue
        moment = datetime.combine(now.date(), clock)
        return moment if moment <= now else datetime.combine(now.date() - timedelta(days=1), clock)
    try:
        moment = datetime.fromisoformat(text).astimezone().replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise SetupProblem(f"The time {text!r} is not written as 14:05 or '2026-03-01 14:05'.") from None
    if moment > now:
        raise SetupProblem(f"The time {text!r} is still to come: here it is {say_minute(ms_of(now))}.")
    return moment


def ms_of(moment: datetime) -> int:
    """Return a local time as milliseconds."""
    return int(moment.timestamp() * 1000)


def _local(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000).astimezone()
