"""A command's timeline as the console tells it: the sentence on top, then what happened step by step. Writes nothing.

Each step has the time since the first key, who did it (the phone, the bridge, the PBX), and words. Steps that only
repeat others are left out: a result is told where the event is that caused it.
"""

import json
from typing import Any, NamedTuple

import sqlalchemy as sa

from phoneterm_bridge.administration.why import explain_with_change
from phoneterm_bridge.pbx.operations import find_operation
from phoneterm_bridge.store.journal_blotting import BLOTTED
from phoneterm_bridge.store.journal_reading import Timeline, find_user, read_timelines
from phoneterm_bridge.wording.times import say_time
from phoneterm_bridge.wording.why import CAUSES, PHONE_REASONS, REASONS, REMARKS, cause_of, keyed_ms, result_of

PHONE, BRIDGE, PBX = "phone", "bridge", "PBX"
_ENDS = {"done": "good", "returned": "back", "failed": "bad", "rejected": "bad", "refused": "bad", "unknown": "open"}
_CHECKED = {
    "session": "the phone's session", "fresh": "its age", "rate": "how often", "permission": "the permission",
    "call": "which call is meant", "number": "the number", "class": "the dialplan", "witnesses": "what the number is",
    "site": "the site's limit", "duplicate": "whether it is new",
}  # fmt: skip
_EVENTS = {
    "accepted": "accepted it", "ringing": "let the number ring", "consulting": "connected the two, the caller on hold",
    "done": "completed it", "failed": "could not do it", "returned": "gave the caller back",
    "rejected": "refused it", "refused": "refused it", "unknown": "did not say what became of it",
}  # fmt: skip


class Step(NamedTuple):
    """One thing that happened: since_ms after the first key; checks are (what, verdict, cause) of the bridge."""

    at_ms: int
    since_ms: int
    who: str
    what: str
    why: str
    mood: str
    checks: tuple[tuple[str, str, str], ...] = ()


class Story(NamedTuple):
    """One command, told. mood: good, bad, back or open."""

    entry: int
    tid: str
    extension: str
    user: str
    asked: str
    number: str
    op: str
    at_ms: int
    state: str
    reason: str
    cause: str
    mood: str
    when: str
    sentence: str
    took_ms: int
    steps: tuple[Step, ...]

    @property
    def text(self) -> str:
        """Return what a search looks through, in small letters."""
        return f"{self.tid} {self.extension} {self.user} {self.number} {self.sentence}".lower()


def read_stories(engine: sa.Engine, entries: list[int]) -> list[Story]:
    """Return the stories of these commands, the newest first."""
    found = []
    users: dict[str, str] = {}
    for timeline in read_timelines(engine, entries):
        extension = timeline.command.extension
        if extension not in users:
            users[extension] = find_user(engine, extension) or ""
        found.append(_tell(engine, timeline, users[extension]))
    return found


def _tell(engine: sa.Engine, timeline: Timeline, user: str) -> Story:
    command, (state, reason) = timeline.command, result_of(timeline)
    sentence, _ = explain_with_change(engine, timeline, user)
    operation = None if command.op is None else find_operation(command.op)
    number = "(no longer kept)" if command.number == BLOTTED else command.number or ""
    first_ms = keyed_ms(timeline)
    steps = tuple(_tell_steps(timeline, first_ms))
    return Story(
        command.entry, command.tid, command.extension, user, operation.code if operation else "", number,
        command.op or "", first_ms, state or "", reason or "", cause_of(timeline) or "",
        _ENDS.get(state or "", "open"), f"On {say_time(first_ms)}, ", sentence,
        max((step.since_ms for step in steps), default=0), steps,
    )  # fmt: skip


def _tell_steps(timeline: Timeline, first_ms: int) -> list[Step]:
    steps: list[Step] = []
    told: set[str] = set()
    is_refusal = any(line.stage == "refusal" for line in timeline.lines)
    for line in timeline.lines:
        detail = None if line.detail is None else json.loads(line.detail)
        step = _tell_line(line, detail, line.at_ms - first_ms)
        if step is None or (line.stage == "result" and line.word in told):
            continue
        if is_refusal and line.stage == "received":
            continue  # what reached the bridge is only that the phone has refused it
        if line.stage in ("event", "result", "arrival"):
            told.add(line.word)
        steps.append(step)
    return steps


def _tell_line(line: sa.Row, detail: Any, since_ms: int) -> Step | None:
    why = _say_why(line.reason)
    if line.stage == "keyed":
        took_ms = (detail or {}).get("took_ms")
        took = f" within {took_ms / 1000:.1f} s" if took_ms else ""
        return Step(line.at_ms, since_ms, PHONE, f"keys were pressed{took}", "", "")
    if line.stage == "received":
        return Step(line.at_ms, since_ms, BRIDGE, "it reached the bridge", "", "")
    if line.stage == "check":
        checks = tuple((_CHECKED.get(one[0], one[0]), one[1], _say_cause(one)) for one in detail or ())
        passed = line.reason is None
        what = "every check passed" if passed else "a check refused it"
        cause = "" if passed or not detail else _say_cause(detail[-1])
        return Step(line.at_ms, since_ms, BRIDGE, what, cause or why, "" if passed else "bad", checks)
    if line.stage == "action":
        return Step(line.at_ms, since_ms, BRIDGE, "the PBX was asked", "", "")
    if line.stage == "refusal":
        because = CAUSES.get((detail or {}).get("cause", "")) or why
        return Step(line.at_ms, since_ms, PHONE, "the phone refused it by itself", because, "bad")
    if line.stage == "arrival":
        what = "the call was answered there" if line.reason is None else "nobody answered there"
        return Step(line.at_ms, since_ms, PBX, what, why, "good" if line.reason is None else "bad")
    if line.stage == "result" and line.word in ("rejected", "refused"):
        return None  # the check, or the phone's refusal, has said it
    return Step(line.at_ms, since_ms, PBX, _EVENTS.get(line.word, line.word), why, _ENDS.get(line.word, ""))


def _say_cause(verdict: list) -> str:
    """Return the words of a check's verdict: [what, ok or a reason, ms, cause]."""
    cause = str(verdict[3]) if len(verdict) > 3 else ""
    if verdict[1] == "ok":
        return REMARKS.get(cause, cause)
    return CAUSES.get(cause) or _say_why(verdict[1]) or cause


def _say_why(reason: str | None) -> str:
    if reason is None:
        return ""
    return REASONS.get(reason) or PHONE_REASONS.get(reason) or reason
