"""Where the lines of a dialplan entry may go on to: other numbers, in their contexts. Does not ask Asterisk.

Goto, GotoIf and GotoIfTime with all their branches, and Local channels that Dial calls. A place that needs a variable
other than EXTEN is left out. Source: Asterisk's main/pbx_builtins.c, apps/app_dial.c, apps/app_exec.c.
"""

import re
from typing import NamedTuple

from phoneterm_bridge.pbx.ami.codec import Message

_EXTEN = re.compile(r"\$\{EXTEN(?::(-?[0-9]+))?(?::(-?[0-9]+))?\}")

_CALLS = ("dial", "queue", "page", "gotoif", "gotoiftime", "execif", "execiftime")
_ROUTINE = re.compile(r"dial|exten-vm")  # the routines of FreePBX that call somebody
_LOCAL = re.compile(r"Local/([^@&,/]+)@([^&,/]+)", re.IGNORECASE)
_CALL = re.compile(r"\s*([A-Za-z0-9_]+)\((.*)\)\s*", re.DOTALL)


class Lead(NamedTuple):
    """A place that an entry may go on to.

    is_certain: every call to the entry goes there. is_users: digits that the user keyed are part of the number.
    """

    context: str
    number: str
    is_certain: bool
    is_users: bool


def applications_in(line: Message) -> list[tuple[str, str]]:
    """Return the applications of a line with their data, in small letters: its own, and those within its data."""
    name, data = line.get("Application").lower(), line.get("AppData")
    inner = [data] if name in ("exec", "tryexec") else []
    if name in ("execif", "execiftime"):
        inner = _branches_of(data)
    calls = [call for call in map(_CALL.fullmatch, inner) if call is not None]
    return [(name, data), *((call[1].lower(), call[2]) for call in calls)]


def leads_of(entry: list[Message], number: str) -> list[Lead]:
    """Return all places that the lines of an entry may go on to, by the number that it was reached with."""
    found: list[Lead] = []
    is_certain = True
    for line in entry:
        for name, data in applications_in(line):
            if name == "goto":
                found += _place_in(data, line.get("Context"), number, is_certain)
            elif name in ("gotoif", "gotoiftime"):
                found += [one for data in _branches_of(data) for one in _place_in(data, line.get("Context"), number)]
            elif name == "dial":
                found += _locals_in(data, number)
            is_certain = is_certain and not _may_end_here(name, data)
    return found


def _may_end_here(name: str, data: str) -> bool:
    """Say whether a call may stay with an application, or leave the entry by it: the next lines are not certain."""
    return name in _CALLS or (name in ("gosub", "macro") and _ROUTINE.search(data) is not None)


def _branches_of(data: str) -> list[str]:
    """Return what stands behind the condition, for the case that it is true and for the other."""
    return _split_outside(data.partition("?")[2])


def _split_outside(text: str) -> list[str]:
    """Split at the colons that are in no variable, expression or call."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "({[") - (letter in ")}]")
        if letter == ":" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part for part in parts if part]


def _place_in(data: str, context: str, number: str, is_certain: bool = False) -> list[Lead]:
    """Return the place of `context,number,priority` or `number,priority`; none for a priority or label alone."""
    asked = data.split(",")
    parts = [_fill_in(part, number) for part in asked]
    if len(parts) < 2 or "${" in "".join(parts[-3:-1]):
        return []
    return [Lead(parts[-3] if len(parts) > 2 else context, parts[-2], is_certain, is_users=parts[-2] != asked[-2])]


def _locals_in(data: str, number: str) -> list[Lead]:
    found = []
    for asked, context in _LOCAL.findall(data):
        dialled = _fill_in(asked, number)
        if "${" not in dialled + context:
            found.append(Lead(context, dialled, is_certain=False, is_users=dialled != asked))
    return found


def _fill_in(text: str, number: str) -> str:
    """Put the number, or its part, where EXTEN stands."""

    def part_of(match: re.Match[str]) -> str:
        offset, length = int(match[1] or 0), None if match[2] is None else int(match[2])
        rest = number[offset:]
        return rest if length is None else rest[:length]

    return _EXTEN.sub(part_of, text)
