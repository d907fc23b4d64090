"""This machine's clock: a plausible year, and whether something keeps it right. Does not ask a time server.

A wrong clock breaks certificates, the times in the journal, office hours and the hour of the site's limit. It does not
let a late command through, because ages are measured by a monotonic clock.
"""

import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from phoneterm_bridge.doctor.finding import OK, PROBLEM, UNKNOWN, WARNING, Change, Finding

_PART = "clock"
_FIRST_SANE_YEAR, _LAST_SANE_YEAR = 2025, 2100
_MOST_APART_S = 2.0
_ASK_S = 5
_START_IT = Change("command line", "timedatectl set-ntp true   # systemd-timesyncd; chrony does as well")


def examine_clock(now: datetime | None = None, ask_is_kept: Callable[[], bool | None] | None = None) -> list[Finding]:
    """Check year and synchronisation: those of this machine, unless they are given."""
    now = now or datetime.now(UTC)
    if not _FIRST_SANE_YEAR <= now.year <= _LAST_SANE_YEAR:
        return [Finding(PROBLEM, _PART, f"The clock says {now:%Y-%m-%d %H:%M} UTC, which cannot be right.", _START_IT)]
    is_kept = (ask_is_kept or is_synchronised)()
    if is_kept is None:
        sentence = f"Whether anything keeps the clock right cannot be seen here; it says {now:%Y-%m-%d %H:%M} UTC."
        return [Finding(UNKNOWN, _PART, sentence)]
    if not is_kept:
        return [Finding(WARNING, _PART, "Nothing synchronises the clock of this machine.", _START_IT)]
    return [Finding(OK, _PART, f"The clock is kept right; it says {now:%Y-%m-%d %H:%M} UTC.")]


def is_synchronised() -> bool | None:
    """Ask the system whether its clock is synchronised; None if it cannot say (no systemd, as in many containers)."""
    program = shutil.which("timedatectl")
    if Path("/run/systemd/timesync/synchronized").exists():
        return True
    if program is None:
        return None
    asked = [program, "show", "--property=NTPSynchronized", "--value"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=_ASK_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"yes": True, "no": False}.get(done.stdout.strip())


def compare_clocks(here_s: float, there_s: float) -> Finding:
    """Say how far apart the clock here and the PBX's are, in seconds since 1970 at the same moment."""
    apart_s = there_s - here_s
    if abs(apart_s) <= _MOST_APART_S:
        return Finding(OK, _PART, "The PBX's clock agrees with the one here.")
    way = "ahead of" if apart_s > 0 else "behind"
    sentence = (
        f"The PBX's clock is {abs(apart_s):.0f} s {way} the one here: its log and the journal do not fit together."
    )
    return Finding(WARNING, _PART, sentence, _START_IT)
