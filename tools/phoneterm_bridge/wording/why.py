"""Says what became of a command, in a sentence that a receptionist understands. Does not read the journal or print.

One table has the words for every wire reason, another the words for causes that say more than the reason. Both
continue a sentence after "because". The table of operations has the words for what was keyed. Times are local.
"""

import json
from datetime import datetime

import sqlalchemy as sa

from phoneterm_bridge.pbx.operations import find_operation
from phoneterm_bridge.pbx.port import ANSWERED, LEFT_AGAIN, NOT_ANSWERED, PLACES
from phoneterm_bridge.store.journal import REFUSED
from phoneterm_bridge.store.journal_blotting import BLOTTED
from phoneterm_bridge.store.journal_reading import Change, Timeline
from phoneterm_bridge.store.sightings import Sighting
from phoneterm_bridge.wording.times import ms_of, say_minute, say_time

_NOT_KEPT = "a number that is no longer kept"
_ABOUT_MS = 15 * 60 * 1000
_UNDER_WAY = {
    "accepted": "The PBX has accepted it, and nothing more is known yet.",
    "ringing": "The number is ringing, and nothing more is known yet.",
    "consulting": "The two are talking, with the caller on hold.",
}
# Why it did not work, for every reason of the wire contract.
REASONS = {
    "permission": "this phone was not allowed to do that",
    "destination": "this phone must not send callers to that number",
    "no-call": "there was no call to transfer at that moment",
    "not-answered": "the call had not been answered yet",
    "ambiguous": "there were several calls, or several people in the call, and it was not clear which was meant",
    "bad-number": "that number cannot be dialled here; perhaps a digit was missing",
    "unknown-number": "the PBX knows no such number",
    "self": "that is the phone's own number",
    "busy-transferring": "the call was being transferred already",
    "stale": "it reached the bridge too late, so it was not carried out; the network may have been slow",
    "duplicate": "the same command had been used for something else before",
    "bad-session": "the phone had just started or lost its connection, so what was keyed before did not count",
    "bad-signature": "it did not come from this phone: its signature was wrong, so its keys may have to be set again",
    "rate": "too much was keyed in too short a time",
    "caller-gone": "the caller had hung up",
    "busy": "the number was busy",
    "no-answer": "nobody answered",
    "refused-by-target": "the other side refused the call",
    "unavailable": "the number could not be reached",
    "congestion": "all lines were busy",
    "not-permitted-by-pbx": "the PBX does not let this phone transfer (at an Asterisk its calls lack the options T and "
    "t); an administrator finds what to change with `phoneterm doctor`",
    "pbx-misconfigured": "the PBX is not set up for it: a feature code or the context of transfers is missing, or the "
    "bridge's login lacks a right; an administrator finds the line to change with `phoneterm doctor`",
    "pbx-unreachable": "the bridge could not reach the PBX",
    "unsupported": "this PBX cannot do that",
    "cancelled": "it was cancelled at the phone",
}
# Why a phone refused something by itself, beyond those of the contract.
PHONE_REASONS = {
    "no-link": "the phone had no connection to the bridge, or the bridge none to the PBX",
    "no-such-code": "the key after # or * belongs to no code",
    "code-time": "nothing was keyed after # or * for too long",
    "no-number": "no number was keyed after the code",
    "digits-missing": "the number was not complete",
    "no-such-number": "no number begins like this here",
    "number-too-long": "the number was too long",
    "wrong-key": "a key was pressed that belongs to no number",
    "too-slow": "it was keyed too slowly",
    "key-it-again": "the phone was busy for a moment and may have missed a key",
}
# Where a caller was seen who was sent on.
_PLACES = {
    "mailbox": "reached a mailbox",
    "parking": "was parked",
    "queue": "came into a queue",
    "conference": "came into a conference",
    "announcement": "heard an announcement or music",
    "machine": "reached a machine of the PBX, not a person",
}
_AS_LAST_TOLD = "Who may transfer was then what the PBX had said last, because it did not answer."
# What the phone itself could not learn; the bridge may know more.
_UNCONFIRMED = {
    "no-confirmation": "the phone sent it and got no answer within 3 seconds",
    "not-confirmed": "the phone sent it and does not know whether it arrived",
}
# Where a check left the exact cause in the journal.
CAUSES = {
    "revoked": "the terminal has been revoked",
    "not-multi-user-aware": "the user of this extension does not have the permission User is multi user aware",
    "not-confirmed-by-pbx": "the PBX is to say whether the user of this extension is multi user aware, and has not "
    "said it, or not for too long",
    "no-phone-terminal": "the extension is not a phone terminal",
    "no-rule": "the bridge knows no such operation, or no rule for who may do it",
    "operation": "this kind of transfer is switched off for this phone",
    "class": "this phone may not send callers to numbers of that kind",
    "prefix": "numbers that begin like this one are forbidden",
    "emergency": "callers are never sent to an emergency number",
    "feature-code": "callers are never sent to a feature code of the PBX",
    "outside": "the PBX sends that number outside, and this phone may not send callers there",
    "spy": "that number of the PBX listens to other people's calls",
    "barge": "that number of the PBX breaks into other people's calls",
    "disa": "that number of the PBX lets whoever reaches it dial on as if from inside",
    "mailbox": "that number of the PBX administers mailboxes",
    "login": "that number of the PBX logs people in at phones",
    "settings": "that number of the PBX changes settings, such as where a phone's calls go",
    "pickup": "that number of the PBX takes a call that rings elsewhere",
    "talking-to-it": "that is the line that the call is with already",
    "no-attended-transfer": "there is no attended transfer at VoipNow; one can be composed of hold, call and transfer, "
    "which rings the colleague twice, and an administrator switches that on in the settings (voipnow.attended)",
    "no-swap": "in an attended transfer that is composed at VoipNow, only the phone's own keys switch between the two",
    "conference": "the user was in a conference, and nobody can be transferred out of one; a call between two can be",
    "clocks-apart": "the clocks of bridge and phone had run apart, perhaps because the bridge's computer had stood "
    "still; they have been compared anew, so keying it again works",
    "office-hours": "numbers outside are only allowed during office hours",
    "external-revoked": "transfers to numbers outside are switched off since there were too many of them",
    "external-per-hour": "the whole site has sent too many callers outside within an hour",
    "external-at-once": "too many callers were being sent outside at the same moment",
}
# How an operation differs from what people expect, where a check left that in the journal; each is a sentence.
REMARKS = {
    "composed": "The colleague was rung twice: VoipNow has no attended transfer, so it was composed of hold, call and "
    "transfer.",
}
_UNREADABLE = "the message was damaged or did not follow the contract"


def explain(timeline: Timeline) -> str:
    """Say what was keyed and when, and what became of it and why."""
    command = timeline.command
    asked = (
        _describe_refused_keys(command.op) if _is_refusal(timeline) else _describe_keys(command.op, _number_of(command))
    )
    said = f"On {say_time(keyed_ms(timeline))}, {command.extension} {asked}. {_describe_result(timeline)}"
    return f"{said} {_AS_LAST_TOLD}" if _was_judged_as_last_told(timeline) else said


def describe_none(extension: str, moment: datetime | None, nearest: Timeline | None) -> str:
    """Say that nothing was keyed then, and name the nearest command."""
    when = "" if moment is None else f" at about {moment:%H:%M} on {moment:%A, %-d %B %Y}"
    none = f"No command of {extension} reached the bridge{when}; nor is it known that the phone refused one by itself."
    return none if nearest is None else f"{none} The nearest one: {explain(nearest)}"


def describe_change(change: Change) -> str:
    """Say who made the change that may have caused a refusal."""
    where = f" ({change.where})" if change.where else ""
    return f"The last change: {change.subject}, {change.what}, on {say_minute(change.at_ms)} by {change.who}{where}."


def describe_unknown(tid: str, sighting: Sighting | None, moment: datetime | None, is_running: bool) -> str | None:
    """Say why a refusal by this phone itself at that time (None: by now) cannot be known; None if it would be known."""
    if sighting is None:
        return f"Whether the phone itself refused something cannot be known: the bridge has not seen {tid} yet."
    if sighting.refusals is None:
        return f"What the phone itself refuses cannot be known: its firmware ({sighting.firmware}) does not report it."
    if moment is not None and ms_of(moment) < sighting.seen_ms:
        return None
    since = f"What the phone itself has refused since {say_minute(sighting.seen_ms)} cannot be known yet:"
    if not is_running:
        return f"{since} no bridge is running."
    return None if sighting.is_online else f"{since} it is offline, and reports it when it is back."


def is_unconfirmed(timeline: Timeline) -> bool:
    """Say whether this is a phone's report that it got no answer, so that what it had sent may say more."""
    return _is_refusal(timeline) and result_of(timeline)[1] in _UNCONFIRMED


def is_about(timeline: Timeline, at_ms: int | None) -> bool:
    """Say whether a command is close enough to a time to be the one that is meant."""
    return at_ms is None or abs(timeline.command.received_ms - at_ms) <= _ABOUT_MS


def is_of_permission(timeline: Timeline) -> bool:
    """Say whether a command was refused for something the directory decides."""
    return result_of(timeline)[1] == "permission" or cause_of(timeline) in ("class", "prefix", "external-revoked")


def as_fields(timeline: Timeline) -> dict:
    """Return the same information and the whole timeline as plain values for machines."""
    command, (state, reason) = timeline.command, result_of(timeline)
    fields = {"extension": command.extension, "terminal": command.tid, "id": command.command_id}
    fields |= {"op": command.op, "number": command.number, "call": command.call, "keyed_ms": keyed_ms(timeline)}
    fields |= {"received_ms": command.received_ms, "state": state, "reason": reason, "cause": cause_of(timeline)}
    return fields | {"sentence": explain(timeline), "timeline": [_line_fields(line) for line in timeline.lines]}


def keyed_ms(timeline: Timeline) -> int:
    """Return when the first key was pressed, or the message received where that is not known."""
    keyed = (line.at_ms for line in timeline.lines if line.stage == "keyed")
    return next(keyed, timeline.command.received_ms)


def result_of(timeline: Timeline) -> tuple[str | None, str | None]:
    """Return the last result the phone was told, with its reason."""
    results = [(line.word, line.reason) for line in sorted(timeline.lines, key=_place_of) if line.stage == "result"]
    return results[-1] if results else (None, None)


def cause_of(timeline: Timeline) -> str | None:
    """Return the cause that the refusing check recorded beyond the reason."""
    for line in timeline.lines:
        if line.stage == "check" and line.reason is not None and line.detail is not None:
            last = json.loads(line.detail)[-1]
            return last[3] if len(last) > 3 else None
        if line.stage == "refusal" and line.detail is not None:
            return json.loads(line.detail).get("cause")
    return None


def _was_judged_as_last_told(timeline: Timeline) -> bool:
    details = [json.loads(line.detail) for line in timeline.lines if line.stage == "check" and line.detail is not None]
    return any("as-last-told" in verdict[3:] for trail in details for verdict in trail)


def _describe_keys(op: str | None, number: str | None) -> str:
    operation = None if op is None else find_operation(op)
    if op is None:
        return "sent a message that is not proven to come from it"
    if operation is None:
        return f"asked for {op}, which is no operation that this bridge knows"
    if not operation.code:
        return f"asked to {operation.asked}"
    return f"keyed {operation.code} and {number}" if operation.takes_number else f"keyed {operation.code}"


def _is_refusal(timeline: Timeline) -> bool:
    """Say whether the phone itself refused this."""
    return result_of(timeline)[0] == REFUSED


def _number_of(command: sa.Row) -> str | None:
    return _NOT_KEPT if command.number == BLOTTED else command.number


def _describe_refused_keys(op: str | None) -> str:
    operation = None if op is None else find_operation(op)
    if operation is None:
        return "keyed something"
    return f"keyed {operation.code}" if operation.code else f"asked to {operation.asked}"


def _describe_refusal(timeline: Timeline) -> str:
    """Say why the phone itself refused it, and how many of its refusals are known by their number alone."""
    reason = result_of(timeline)[1] or ""
    if reason in _UNCONFIRMED:
        said = f"The outcome is not known: {_UNCONFIRMED[reason]}."
    else:
        words = CAUSES.get(cause_of(timeline) or "") or PHONE_REASONS.get(reason) or REASONS.get(reason)
        words = words or f"of a reason that is not known here ({reason})"
        said = f"The phone itself refused it, because {words}."
    details = [json.loads(line.detail) for line in timeline.lines if line.stage == "refusal" and line.detail]
    skipped = details[0]["skipped"] if details else 0
    return f"{said} Before that it refused {skipped} more, of which nothing else is known." if skipped else said


def _describe_success(op: str | None, number: str | None) -> str:
    operation = None if op is None else find_operation(op)
    worked = "" if operation is None else operation.worked.format(number=number)
    return f"It worked: {worked}." if worked else "It worked."


def _describe_result(timeline: Timeline) -> str:
    command, (state, reason) = timeline.command, result_of(timeline)
    if state == REFUSED:
        return _describe_refusal(timeline)
    if state == "done":
        return (
            _describe_success(command.op, _NOT_KEPT if command.number == BLOTTED else command.number)
            + _describe_remark(timeline)
            + _describe_arrival(timeline)
        )
    if state is None or state in _UNDER_WAY:
        return _UNDER_WAY.get(state or "", "Nothing more is known yet.")
    if state == "unknown":
        return "The outcome is not known: the PBX did not say, and it was not tried again."
    words = CAUSES.get(cause_of(timeline) or "") or REASONS.get(reason or "", _UNREADABLE)
    if state == "returned":
        return "The caller was given back" + (f", because {words}." if reason else ".")
    return f"It did not work, because {words}." if reason else "It did not work; the PBX gave no reason."


def _describe_remark(timeline: Timeline) -> str:
    """Say how it differed from what people expect, if a check has noted that."""
    operation = find_operation(timeline.command.op or "")
    if operation is None or not operation.takes_number:
        return ""
    checks = [
        one for line in timeline.lines if line.stage == "check" and line.detail for one in json.loads(line.detail)
    ]
    return "".join(f" {REMARKS[one[3]]}" for one in checks if len(one) > 3 and one[3] in REMARKS)


def _describe_arrival(timeline: Timeline) -> str:
    """Say what became of a caller who was sent away, if the PBX reported it."""
    arrivals = {line.word: line.reason for line in timeline.lines if line.stage == "arrival"}
    if ANSWERED in arrivals:
        return " The call was answered."
    if reason := arrivals.get(NOT_ANSWERED):
        return (
            " Nobody answered there."
            if reason == "no-answer"
            else f" Nobody answered there, because {REASONS[reason]}."
        )
    place = next((word for word in PLACES if word in arrivals), None)
    if place is None:
        return " The caller has left there again; whether anybody took the call is not known." if arrivals else ""
    because = f", because {REASONS[reason]}" if (reason := arrivals[place]) else ""
    left = " The caller has left there again; nobody was seen to take the call." if LEFT_AGAIN in arrivals else ""
    return f" The caller {_PLACES[place]}{because}.{left}"


def _line_fields(line) -> dict:
    fields = {"at_ms": line.at_ms, "stage": line.stage, "word": line.word, "reason": line.reason}
    return fields | {"detail": None if line.detail is None else json.loads(line.detail)}


def _place_of(line) -> tuple[int, int]:
    return line.seq, line.part
