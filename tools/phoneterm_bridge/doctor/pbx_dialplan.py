"""Compares the dialplan with store and digit map: contexts that are missing, numbers that lead nowhere.

Does not dial: it asks what the bridge asks before every transfer, so phones get the same result. It first asks for a
number that cannot exist: a context that has it has every number. FreePBX is known by its context from-internal-xfer.
"""

import re
import time

from phoneterm.core import messages

from phoneterm_bridge.doctor.finding import OK, PROBLEM, WARNING, Change, Finding
from phoneterm_bridge.doctor.numbers import read_digit_map, sample_numbers
from phoneterm_bridge.doctor.pbx_dial_options import read_lines
from phoneterm_bridge.doctor.pbx_session import PbxSession
from phoneterm_bridge.doctor.store import Stored
from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.asterisk import freepbx
from phoneterm_bridge.pbx.asterisk.dialplan import Dialplan, classify
from phoneterm_bridge.pbx.asterisk.dialplan_leads import leads_of
from phoneterm_bridge.pbx.port import DANGERS
from phoneterm_bridge.settings.bridge import PhoneSettings
from phoneterm_bridge.wording.names import name_some

_PART = "dialplan"
_FILE = "extensions.conf (FreePBX: extensions_custom.conf)"
_MOST_FOLLOWED = 200
_IMPOSSIBLE = "58319746205831974620"
_MOVE = Change("command line", f"phoneterm user context {freepbx.TRANSFERS}")
_ROUTES = Change("Asterisk's dialplan (FreePBX: Connectivity, Outbound Routes, Dial Patterns)", "no pattern X. or .")
_NO_CONTEXT = re.compile(r"did not find context", re.IGNORECASE)


async def examine_dialplan(session: PbxSession, phones: PhoneSettings, stored: Stored) -> list[Finding]:
    """Check every context that the store names."""
    found = []
    is_freepbx = not await _is_missing(session, freepbx.TRANSFERS)
    for context in sorted({place.context for place in stored.places}):
        numbers = [place.number for place in stored.places if place.context == context]
        if await _is_missing(session, context):
            sentence = f"The PBX has no context {context}, which the store names for {name_some(numbers)}."
            fix = Change(_FILE, f"[{context}]   # or: phoneterm user change {numbers[0]} --context ...")
            found.append(Finding(PROBLEM, _PART, sentence, _MOVE if is_freepbx else fix))
        else:
            found += await _examine_every(session, context, is_freepbx)
            found += await _examine_dangers(session, context, phones)
            found += await _examine_context(session, context, numbers, phones, is_freepbx)
    return found


async def _examine_every(session: PbxSession, context: str, is_freepbx: bool) -> list[Finding]:
    """Say so when the context has a number that cannot exist."""
    if await session.read(f"DIALPLAN_EXISTS({context},{_IMPOSSIBLE},1)") != "1":
        return []
    destination = await Dialplan(session, time.monotonic).find(context, _IMPOSSIBLE)
    kind, place = destination or ("inside", context)
    if kind == "outside":
        sentence = (
            f"A mistyped number in the context {context} goes out over a trunk, because {place} takes every number."
        )
        return [Finding(WARNING, _PART, sentence, _ROUTES)]
    if is_freepbx and context == freepbx.PHONES:
        sentence = (
            f"The context {context} has every number, even those that do not exist; transfers have one of their own."
        )
        return [Finding(WARNING, _PART, sentence, _MOVE)]
    if kind == "nowhere":
        return []
    sentence = f"The context {context} has every number, even those that do not exist: {place} answers them."
    fix = Change("command line", "phoneterm user context ...   # a context with the real numbers only")
    return [Finding(WARNING, _PART, sentence, fix)]


async def _examine_dangers(session: PbxSession, context: str, phones: PhoneSettings) -> list[Finding]:
    """Name the numbers that no caller should reach and that phones can key."""
    digit_map = read_digit_map(phones)
    entries: dict[tuple[str, str], list[Message]] = {}
    for line in (await read_lines(session, [context])).values():
        entries.setdefault((line.get("Context"), line.get("Extension")), []).append(line)
    kinds = {number: classify(entry).kind for (_, number), entry in entries.items()}
    leading = [one for (_, one), entry in entries.items() if messages.is_number(one) and leads_of(entry, one)]
    for number in leading[:_MOST_FOLLOWED]:
        destination = await Dialplan(session, time.monotonic).find(context, number)
        kinds[number] = kinds[number] if destination is None else destination.kind
    reached = [
        f"{number} ({kind})"
        for number, kind in sorted(kinds.items())
        if kind in DANGERS and digit_map is not None and digit_map.class_of(number) is not None
    ]
    if not reached:
        return []
    sentence = (
        f"Phones can key numbers of the context {context} that no caller should reach: {name_some(reached)}. "
        "The bridge refuses them unless policy.allow_kinds names the kind."
    )
    fix = Change("settings, section [phones]", 'digit_map = "..."   # without them (FreePBX: Admin, Feature Codes)')
    return [Finding(WARNING, _PART, sentence, fix)]


async def find_unknown(session: PbxSession, context: str, numbers: list[str]) -> list[str]:
    """Return the numbers that this context does not have."""
    answers = await session.read_all([f"DIALPLAN_EXISTS({context},{number},1)" for number in numbers])
    unknown = [number for number, answer in zip(numbers, answers, strict=True) if answer != "1"]
    if await session.read(f"DIALPLAN_EXISTS({context},{_IMPOSSIBLE},1)") == "1":
        dialplan = Dialplan(session, time.monotonic)
        for number in (number for number in numbers if number not in unknown):
            destination = await dialplan.find(context, number)
            if destination is not None and destination.kind == "nowhere":
                unknown.append(number)
    return unknown


async def _is_missing(session: PbxSession, context: str) -> bool:
    answer = await session.ask("ShowDialPlan", [("Context", context)])
    return _NO_CONTEXT.search(answer.get("Message")) is not None


async def _examine_context(
    session: PbxSession, context: str, numbers: list[str], phones: PhoneSettings, is_freepbx: bool
) -> list[Finding]:
    found = []
    if unknown := await find_unknown(session, context, numbers):
        sentence = f"The context {context} does not have the extensions {name_some(unknown)} of the store."
        fix = Change(_FILE, f"[{context}] exten => {unknown[0]},1,Dial(PJSIP/{unknown[0]},20,${{DIAL_OPTIONS}})")
        if is_freepbx:
            fix = _MOVE if context != freepbx.TRANSFERS else Change("FreePBX: Connectivity, Extensions", unknown[0])
        found.append(Finding(PROBLEM, _PART, sentence, fix))
    digit_map = read_digit_map(phones)
    for name, samples in ({} if digit_map is None else sample_numbers(digit_map)).items():
        tried = samples + [number for number in numbers if digit_map and digit_map.class_of(number) == name]
        if tried and len(await find_unknown(session, context, tried)) == len(tried):
            sentence = (
                f"Phones can key {name} numbers such as {name_some(tried, 3)}, and the context {context} has none of "
                f"the {len(tried)} that were tried."
            )
            fix = Change("settings, section [phones]", f'digit_map = "..."   # or {_FILE}: [{context}] exten => ...')
            found.append(Finding(WARNING, _PART, sentence, fix))
    return found or [
        Finding(OK, _PART, f"The context {context} has the store's extensions and numbers of every class.")
    ]
