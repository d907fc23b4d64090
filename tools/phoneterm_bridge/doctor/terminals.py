"""Troubles of terminals: not taken what they were sent, short of memory, cut off, two with one name. Asks no terminal.

The running bridge, or the one that ran last, has recorded them in the store. Times are local.
"""

from collections import defaultdict
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from phoneterm_bridge.doctor.finding import OK, PROBLEM, WARNING, Change, Finding
from phoneterm_bridge.doctor.store import open_read_only
from phoneterm_bridge.store import troubles
from phoneterm_bridge.store.troubles import Trouble
from phoneterm_bridge.terminals.troubles import describe_trouble
from phoneterm_bridge.wording.times import say_minute

_PART = "terminals"
_ROOM = Change(
    "boards/build_guide.md",
    "an image with the firmware frozen in, a board with PSRAM, or no TLS on a network of its own",
)
_FIXES = {
    troubles.PERMISSIONS: Change("command line", "phoneterm terminal reboot TID; then make flash, if it stays so"),
    troubles.CONFIG: Change("settings, section [phones]", "what it says; or make flash, for firmware of this version"),
    troubles.MEMORY: _ROOM,
    troubles.EXCESS: Change(
        "command line", "phoneterm terminal rotate TID: a board of this firmware never says so much"
    ),
    troubles.TWICE: Change(
        "command line",
        "phoneterm terminal rotate TID, and its new settings onto the one board that is to have the name",
    ),
}


def examine_terminals(path: Path) -> list[Finding]:
    """Name the terminals with each trouble; nothing without a store that can be read."""
    if not path.exists():
        return []
    try:
        with closing(open_read_only(path)) as connection:
            standing = troubles.read_all(connection)
    except sa.exc.DatabaseError:
        return []  # the store's own findings say why
    alike: dict[tuple[str, str], list[Trouble]] = defaultdict(list)
    for one in standing:
        alike[one.what, one.detail].append(one)
    found = [_judge(what, detail, some) for (what, detail), some in alike.items()]
    right = (
        "Every terminal that the bridge has heard of has taken what it was sent; none is short of memory or cut off."
    )
    return found or [Finding(OK, _PART, right)]


def _judge(what: str, detail: str, alike: list[Trouble]) -> Finding:
    since = say_minute(min(one.since_ms for one in alike))
    sentence = describe_trouble(what, [one.tid for one in alike], f"{detail} (since {since})")
    verdict = WARNING if what == troubles.MEMORY else PROBLEM
    return Finding(verdict, _PART, sentence, _ROOM if "memory" in detail else _FIXES[what])
