"""A change of many terminals, and its preview: who is affected, who is not and why. Changes nothing.

Command line, console and HTTP API use it alike. A change is a word of `KINDS`, some with a value: a class of numbers,
or a site group. A preview has a mark, by which `bulk_making` knows that it still is what somebody has agreed to.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from phoneterm.core.operations import FLAGS

from phoneterm_bridge.administration.granting import refuse_unknown_classes
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import names
from phoneterm_bridge.store.records import TERMINAL_TYPE, Snapshot, TerminalRecord
from phoneterm_bridge.wording.names import name_some

AWARE, NOT_AWARE, GROUP, ROTATE, REVOKE = "aware", "not-aware", "group", "rotate", "revoke"
ALLOW_CLASS, DENY_CLASS = "allow-class", "deny-class"
REQUESTS = ("identify", "reboot")
SWITCHES = {f"{verb}-{flag}": (flag, verb == "allow") for flag in FLAGS for verb in ("allow", "deny")}
KINDS = (*REQUESTS, AWARE, NOT_AWARE, *SWITCHES, ALLOW_CLASS, DENY_CLASS, GROUP, ROTATE, REVOKE)
WITH_VALUE = (ALLOW_CLASS, DENY_CLASS, GROUP)
MOST_AT_ONCE = 5000
# Returns why a request cannot reach a terminal now; empty if it can.
Absence = Callable[[str, str], str]


class Change(NamedTuple):
    """What is changed; value: the class of numbers, or the site group (empty: none)."""

    what: str
    value: str = ""

    @property
    def is_request(self) -> bool:
        """Return whether terminals are told something, and nothing in the store is changed."""
        return self.what in REQUESTS


class Affected(NamedTuple):
    """A terminal that is changed: what it has now, and then; both empty where there is nothing to compare."""

    tid: str
    extension: str
    user: str
    now: str
    then: str


class Preview(NamedTuple):
    """Who is affected. left_out: (terminal, why not). notes: what else it means. mark: names this and no other."""

    change: Change
    words: str
    affected: tuple[Affected, ...]
    left_out: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    mark: str

    @property
    def sentence(self) -> str:
        """Return in one sentence what happens to how many."""
        return f"{self._count}: each {self.words}"

    @property
    def outcome(self) -> str:
        """Return in one sentence what has happened to how many."""
        return f"{self._count} {self.words}." if self.words.startswith("may ") else f"{self.sentence}."

    @property
    def _count(self) -> str:
        return "1 terminal" if len(self.affected) == 1 else f"{len(self.affected)} terminals"


def read_change(what: str, value: str, classes: Collection[str] | None) -> Change:
    """Return the change; SetupProblem for one that there is not. classes: those of the digit map, if it is valid."""
    if what not in KINDS:
        raise SetupProblem(f"A change of many terminals is {', '.join(KINDS[:-1])} or {KINDS[-1]}, not {what!r}.")
    if value and what not in WITH_VALUE:
        raise SetupProblem(f"The change {what} takes no value.")
    if what == GROUP:
        value = names.tidy_group(value)
        problem = names.problem_of_group(value) if value else None
    elif what in (ALLOW_CLASS, DENY_CLASS):
        if not value:
            raise SetupProblem(f"The change {what} needs a class of numbers.")
        problem = names.problem_of_classes((value,))
        if problem is None and what == ALLOW_CLASS:
            refuse_unknown_classes((value,), None if classes is None else tuple(classes))
    else:
        problem = None
    if problem is not None:
        raise SetupProblem(f"{problem}.")
    return Change(what, value)


def preview_change(change: Change, tids: Iterable[str], snapshot: Snapshot, find_absence: Absence) -> Preview:
    """Return who of these terminals is affected, and who is not and why; changes nothing."""
    wanted = list(dict.fromkeys(tids))
    if not 0 < len(wanted) <= MOST_AT_ONCE:
        raise SetupProblem(f"Choose 1 to {MOST_AT_ONCE} terminals.")
    if change.what in (AWARE, NOT_AWARE) and snapshot.permission_source:
        raise SetupProblem(
            f"{snapshot.permission_source} says who is multi user aware, and is asked for one user at a time: on the "
            "user's page, or with 'phoneterm user allow NAME' and 'phoneterm user deny NAME'."
        )
    affected, left_out = [], []
    for tid in wanted:
        record = snapshot.terminals.get(tid)
        if record is None:
            left_out.append((tid, "there is no such terminal"))
            continue
        judged = _judge(change, record, snapshot.groups.get(tid, ""), find_absence)
        if isinstance(judged, str):
            left_out.append((tid, judged))
        else:
            affected.append(Affected(tid, record.extension, record.user, *judged))
    notes = _find_notes(change, [snapshot.terminals[one.tid] for one in affected], snapshot)
    # Who is online changes by itself; a request reports whom it did not reach.
    told = [change, wanted if change.is_request else affected]
    mark = hashlib.sha256(json.dumps([*told, notes]).encode()).hexdigest()[:32]
    return Preview(change, _say(change), tuple(affected), tuple(left_out), tuple(notes), mark)


def name_left_out(left_out: Collection[tuple[str, str]]) -> str:
    """Return who is not affected, and why, for a sentence: those of one reason together."""
    by_reason: dict[str, list[str]] = {}
    for tid, why in left_out:
        by_reason.setdefault(why, []).append(tid)
    return "; ".join(f"{name_some(tids)}: {why}" for why, tids in by_reason.items())


def _judge(change: Change, record: TerminalRecord, group: str, find_absence: Absence) -> str | tuple[str, str]:
    """Return why a terminal is not affected, or what it has now and then."""
    if record.is_revoked:
        return "it is revoked" if change.what != REVOKE else "it is revoked already"
    if change.is_request:
        return find_absence(record.tid, change.what) or ("", "")
    if change.what in (AWARE, NOT_AWARE):
        return _judge_aware(change, record)
    if change.what in SWITCHES:
        flag, is_allowed = SWITCHES[change.what]
        if record.has(flag) == is_allowed:
            return f"it may do {flag} transfers already" if is_allowed else f"it may do no {flag} transfers anyway"
        then = [one for one in FLAGS if (is_allowed if one == flag else record.has(one))]
        return _join(record.flags, "no transfers"), _join(then, "no transfers")
    if change.what in (ALLOW_CLASS, DENY_CLASS):
        is_allowed = change.what == ALLOW_CLASS
        if (change.value in record.classes) == is_allowed:
            already = "already" if is_allowed else "anyway"
            return f"it may {'' if is_allowed else 'not '}transfer to {change.value} numbers {already}"
        if len(record.classes) >= names.MOST_CLASSES and is_allowed:
            return f"it has {names.MOST_CLASSES} classes of numbers, which is the most"
        return _join(record.classes, "no class"), _join(classes_then(change, record), "no class")
    if change.what == GROUP:
        if change.value == group:
            return f"it is in {group} already" if group else "it is in no group anyway"
        return group or "no group", change.value or "no group"
    return "", ""


def _judge_aware(change: Change, record: TerminalRecord) -> str | tuple[str, str]:
    is_wanted = change.what == AWARE
    if record.extension_type != TERMINAL_TYPE:
        return f"its extension {record.extension} is of the type {record.extension_type}, and no phone terminal"
    if record.is_multi_user_aware == is_wanted:
        return f"{record.user} is {'' if is_wanted else 'not '}multi user aware {'already' if is_wanted else 'anyway'}"
    words = ("not multi user aware", "multi user aware")
    return words[not is_wanted], words[is_wanted]


def _find_notes(change: Change, records: list[TerminalRecord], snapshot: Snapshot) -> list[str]:
    """Return in sentences what the change means beyond the terminals that it names."""
    notes = []
    chosen = {record.tid for record in records}
    if change.what in (AWARE, NOT_AWARE):
        users = {record.user for record in records}
        others = sorted(
            one.tid
            for one in snapshot.terminals.values()
            if one.user in users
            and one.tid not in chosen
            and not one.is_revoked
            and one.extension_type == TERMINAL_TYPE
        )
        if others:
            they = "1 terminal" if len(others) == 1 else f"{len(others)} terminals"
            notes.append(f"It counts for the whole user, so also for {they} not chosen: {name_some(others)}.")
    if change.what in SWITCHES or change.what in (ALLOW_CLASS, DENY_CLASS):
        unaware = sorted({record.user for record in records if not record.is_multi_user_aware})
        if unaware:
            notes.append(f"Without effect while the user is not multi user aware: {name_some(unaware)}.")
    if change.what == GROUP and change.value and records and change.value not in snapshot.groups.values():
        notes.append(f"{change.value} is a new group.")
    if change.what == ROTATE and records:
        notes.append("Until its new settings are brought to each of them at a cable, it cannot come back.")
    if change.what == REVOKE and records:
        notes.append("Nothing gives them their rights back.")
    return notes


def _say(change: Change) -> str:
    """Return in a few words what happens to each terminal."""
    if change.what in SWITCHES:
        flag, is_allowed = SWITCHES[change.what]
        return f"may do {flag} transfers" if is_allowed else f"may not do {flag} transfers any more"
    if change.what == GROUP:
        return f"belongs to the site group {change.value}" if change.value else "belongs to no site group any more"
    return {
        "identify": "shows itself: its lamp blinks",
        "reboot": "is told to reboot; calls go on",
        AWARE: "has a user who is multi user aware",
        NOT_AWARE: "has a user who is not multi user aware any more",
        ALLOW_CLASS: f"may transfer to {change.value} numbers",
        DENY_CLASS: f"may not transfer to {change.value} numbers any more",
        ROTATE: "has new secrets, and the old ones are worthless",
        REVOKE: "is revoked for good: its secrets are worthless",
    }[change.what]


def classes_then(change: Change, record: TerminalRecord) -> tuple[str, ...]:
    """Return all classes of numbers that a terminal may transfer to after a change of one."""
    others = tuple(one for one in record.classes if one != change.value)
    return (*others, change.value) if change.what == ALLOW_CLASS else others


def _join(words: Collection[str], otherwise: str) -> str:
    return ", ".join(words) or otherwise
