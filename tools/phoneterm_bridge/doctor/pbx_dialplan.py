"""Compares the dialplan with store and digit map: contexts that are missing, numbers that lead nowhere.

Does not dial: it asks DIALPLAN_EXISTS, as the bridge does before every transfer, so phones get the same result.
"""

import re

from phoneterm_bridge.doctor.finding import OK, PROBLEM, WARNING, Change, Finding
from phoneterm_bridge.doctor.numbers import read_digit_map, sample_numbers
from phoneterm_bridge.doctor.pbx_session import PbxSession
from phoneterm_bridge.doctor.store import Stored
from phoneterm_bridge.settings.bridge import PhoneSettings
from phoneterm_bridge.wording.names import name_some

_PART = "dialplan"
_FILE = "extensions.conf (FreePBX: extensions_custom.conf)"
_NO_CONTEXT = re.compile(r"did not find context", re.IGNORECASE)


async def examine_dialplan(session: PbxSession, phones: PhoneSettings, stored: Stored) -> list[Finding]:
    """Check every context that the store names."""
    found = []
    for context in sorted({place.context for place in stored.places}):
        numbers = [place.number for place in stored.places if place.context == context]
        if await _is_missing(session, context):
            sentence = f"The PBX has no context {context}, which the store names for {name_some(numbers)}."
            fix = Change(_FILE, f"[{context}]   # or: phoneterm user change {numbers[0]} --context ...")
            found.append(Finding(PROBLEM, _PART, sentence, fix))
        else:
            found += await _examine_context(session, context, numbers, phones)
    return found


async def find_unknown(session: PbxSession, context: str, numbers: list[str]) -> list[str]:
    """Return the numbers that this context does not have."""
    answers = await session.read_all([f"DIALPLAN_EXISTS({context},{number},1)" for number in numbers])
    return [number for number, answer in zip(numbers, answers, strict=True) if answer != "1"]


async def _is_missing(session: PbxSession, context: str) -> bool:
    answer = await session.ask("ShowDialPlan", [("Context", context)])
    return _NO_CONTEXT.search(answer.get("Message")) is not None


async def _examine_context(
    session: PbxSession, context: str, numbers: list[str], phones: PhoneSettings
) -> list[Finding]:
    found = []
    if unknown := await find_unknown(session, context, numbers):
        sentence = f"The context {context} does not have the extensions {name_some(unknown)} of the store."
        fix = Change(_FILE, f"[{context}] exten => {unknown[0]},1,Dial(PJSIP/{unknown[0]},20,${{DIAL_OPTIONS}})")
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
