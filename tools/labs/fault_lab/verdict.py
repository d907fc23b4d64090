"""Judges one run: which of the three good ends it had, or which promise it broke. Pure.

Does not look at the faults: only at what the PBX did, what the terminal said and what the journal holds.

| end      | the PBX                    | the terminal's last word          | the journal                     |
|----------|----------------------------|-----------------------------------|---------------------------------|
| done     | began the transfer once    | that it was accepted or done      | has the command, not as refused |
| not-done | did nothing                | a refusal, a failure or "no link" | does not say it was done        |
| unknown  | whatever, but at most once | that it does not know             | what the PBX did, or "unknown"  |

Times are milliseconds of the monotonic clock.
"""

from dataclasses import dataclass

from phoneterm.core import causes, messages

from fault_lab.counting_lab import Done

ENDS = ("done", "not-done", "unknown")
_DONE = ("Accepted", "Ringing", "Answered", "Transferred")
_UNKNOWN = ("Not confirmed", "No confirmation", "Outcome unknown")
_LINKLESS = ("No link", *(row.split("|")[2] for row in causes.TABLE.strip().split("\n")))
_STANDING = ("Ready", *_LINKLESS, "Starting", "Caller on hold", "Sent", "Transfer to", "Consult with", "")
_HEARD = ("Transfer to", "Consult with", "Sent")  # shown from the code on
_FINAL = ("Answered", "Transferred", *_UNKNOWN)
_LOUD = ("accepted", "consulting", "done", "refused-permission", "refused-number", "unsupported", "no-call",
         "failed", "returned", "unknown", "no-link")  # fmt: skip
_NOT_DONE_IN_JOURNAL = ("rejected", "failed")
_DONE_IN_JOURNAL = ("accepted", "ringing", "consulting", "done", "returned")
LATE_SLACK_MS = 250.0  # for a busy computer, between the bridge's last look at the clock and the PBX


@dataclass(frozen=True)
class Seen:
    """What was seen of one run.

    is_caller_gone: the caller hung up meanwhile, so the transfer may fail, and be reported as failed.
    lines: (time, first line of the display) at the first key and since. signals: (time, name). results: of the
    command in the journal, None when the journal does not have it. channel: of the user's leg in the call that was up
    at the first key. commands: how many the journal has. asked: how often the PBX was asked to transfer.
    """

    op: str
    last_key_ms: float
    ttl_ms: float
    lines: tuple[tuple[float, str], ...]
    signals: tuple[tuple[float, str], ...]
    done: tuple[Done, ...]
    asked: int
    channel: str
    commands: int
    results: tuple[str, ...] | None
    is_caller_gone: bool = False


def last_word(lines: tuple[tuple[float, str], ...]) -> str:
    """Return what the terminal said last about the command, "" for nothing."""
    texts = [text for _, text in lines]
    words = [text for text in texts if text not in _STANDING]
    if words:
        return words[-1]
    return "No link" if "Sent" not in texts and any(text in _LINKLESS for text in texts) else ""


def is_final(word: str) -> bool:
    """Say whether this word is final, unless something arrives late."""
    return word in _FINAL or (word != "" and word not in _DONE)


def is_done(word: str) -> bool:
    """Say whether the word means that the PBX has taken the transfer."""
    return word in _DONE


def is_heard(seen: Seen) -> bool:
    """Say whether the phone, the PBX or the journal shows any trace of the command."""
    texts = [text for _, text in seen.lines]
    is_shown = last_word(seen.lines) != "" or any(text in _HEARD for text in texts)
    return is_shown or seen.asked > 0 or bool(seen.done) or seen.commands > 0


def judge(seen: Seen) -> tuple[str, str]:
    """Return (end, "") or ("broken", one sentence)."""
    broken = _judge_pbx(seen)
    if broken:
        return "broken", broken
    word = last_word(seen.lines)
    if not word or not any(name in _LOUD for _, name in seen.signals):
        return "broken", "the terminal said nothing about it"
    end = "done" if word in _DONE else "unknown" if word in _UNKNOWN else "not-done"
    if end == "done" and not seen.done:
        return "broken", f"the terminal said {word!r}, but the PBX did nothing"
    if end == "not-done" and seen.done and not _has_failed_later(seen):
        return "broken", f"the terminal said {word!r}, but the PBX did it"
    broken = _judge_journal(seen)
    return ("broken", broken) if broken else (end, "")


def _judge_pbx(seen: Seen) -> str:
    """Say what the PBX did wrong, "" if nothing."""
    if seen.asked > 1:
        return f"the PBX was asked {seen.asked} times"
    if len(seen.done) > 1:
        return f"the PBX was made to transfer {len(seen.done)} times"
    for done in seen.done:
        late_ms = done.at_ms - seen.last_key_ms - seen.ttl_ms
        if late_ms > LATE_SLACK_MS:
            return f"the PBX transferred {late_ms:.0f} ms after the command had expired"
        if done.op != seen.op:
            return f"the PBX did {done.op} instead of {seen.op}"
        if done.channel != seen.channel:
            return "the PBX transferred the next call"
    return ""


def _has_failed_later(seen: Seen) -> bool:
    """Say whether the PBX began the transfer and it failed because of the caller, also according to the journal."""
    return seen.is_caller_gone and (seen.results or ("",))[-1] == "failed"


def _judge_journal(seen: Seen) -> str:
    """Say where the journal is wrong, "" if nowhere."""
    if seen.commands > 1:
        return f"the journal has {seen.commands} commands"
    last = seen.results[-1] if seen.results else None
    if seen.done and seen.results is None:
        return "the PBX did it, but the journal does not know the command"
    if seen.done and last in _NOT_DONE_IN_JOURNAL and not _has_failed_later(seen):
        return f"the PBX did it, but the journal says {last}"
    if not seen.done and last in _DONE_IN_JOURNAL:
        return f"the PBX did nothing, but the journal says {last}"
    if seen.results is not None and last not in messages.FINAL_STATES and last not in _DONE_IN_JOURNAL:
        return "the journal has no result of the command"
    return ""
