"""T and t: whether a phone's calls can be transferred at all. Does not see dialplan outside the store's contexts.

There are four sources: the Dial and Queue lines of the store's contexts (with `include`), FreePBX's global variables,
what an extension or a trunk of FreePBX has of its own (in AstDB), and calls that are up now. Options are in the third
argument of Dial and the second of Queue.
"""

import re

from phoneterm_bridge.doctor.finding import OK, PROBLEM, UNKNOWN, WARNING, Change, Finding
from phoneterm_bridge.doctor.pbx_session import PbxSession
from phoneterm_bridge.doctor.store import Stored
from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.wording.names import name_some

_PART = "dial options"
_OPTIONS_AT = {"dial": 2, "queue": 1}
_ARGUMENT = re.compile(r"\([^()]*\)")
_GLOBAL = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)\}")
_CALL = "the call of"
_MOST_CONTEXTS = 50
_MOST_PHONES = 50
_MOST_TRUNKS = 50
_TRUNK_LINE = re.compile(r"dialout-[a-z-]+,(?:s,1\()?([0-9]+)")  # FreePBX's own routine, and the number of the trunk
_ADVANCED = "FreePBX: Settings, Advanced Settings, Asterisk Dial Options"
_FILE = f"extensions.conf ({_ADVANCED})"
DIAL_FIX = Change(_FILE, "DIAL_OPTIONS = Tt in [globals], and Dial(PJSIP/...,20,${DIAL_OPTIONS})")


async def examine_dial_options(session: PbxSession, stored: Stored) -> list[Finding]:
    """Look for Dials whose calls nobody can transfer, or not the called phone."""
    lines = await read_lines(session, sorted({place.context for place in stored.places}))
    trunks = _trunks_in(lines)
    lines |= {f"{_CALL} {one.get('Channel')}": one for one in await session.ask_list("CoreShowChannels")}
    found = await _read_options(session, lines)
    to_phones = await _read_options(session, await _read_lines_to_phones(session, stored))
    own = await _examine_own_options(session, stored) + await _examine_trunks(session, trunks)
    lacking = {where for where, options in found.items() if _is_clear(options) and not {"T", "t"} & set(options)}
    lacking |= {where for where, options in to_phones.items() if _is_clear(options) and "t" not in options}
    if lacking:
        calls_first = sorted(lacking, key=lambda where: (not where.startswith(_CALL), where))
        sentence = f"Phones cannot transfer these calls, because the Dial lacks T or t: {name_some(calls_first)}."
        return [Finding(PROBLEM, _PART, sentence, await _fix_for(session)), *own]
    unclear = sorted(where for where, options in found.items() if not _is_clear(options))
    if unclear or not found:
        return [await _examine_globals(session, unclear), *own]
    return [
        Finding(OK, _PART, f"Calls can be transferred: the {len(found)} Dials of the store's contexts have T or t."),
        *own,
    ]


async def _fix_for(session: PbxSession) -> Change:
    """Return the change that adds T and t to the options that are there."""
    told = await session.read("DIAL_OPTIONS")
    if not told:
        return DIAL_FIX
    return Change(_FILE, told + "".join(letter for letter in "Tt" if letter not in told))


async def _examine_own_options(session: PbxSession, stored: Stored) -> list[Finding]:
    """Name the extensions with terminals that have Dial options of their own without t."""
    found = []
    for number in sorted({one.extension for one in stored.terminals})[:_MOST_PHONES]:
        options = await _read_own_options(session, "AMPUSER", number)
        if options and "t" not in _letters_in(options):
            place = f"FreePBX: Connectivity, Extensions, {number}, Advanced, Asterisk Dial Options"
            sentence = f"The extension {number} has Dial options of its own, {options}, without t: it cannot transfer."
            found.append(Finding(PROBLEM, _PART, sentence, Change(place, options + "t")))
    return found


def _trunks_in(lines: dict[str, Message]) -> list[str]:
    """Return the numbers of the trunks that FreePBX's outbound routes lead to."""
    found = {match[1] for line in lines.values() if (match := _TRUNK_LINE.search(line.get("AppData")))}
    return sorted(found, key=int)[:_MOST_TRUNKS]


async def _examine_trunks(session: PbxSession, trunks: list[str]) -> list[Finding]:
    """Name the trunks that have Dial options of their own by which nobody here, or somebody outside, may transfer."""
    found = []
    for number in trunks:
        options = await _read_own_options(session, "TRUNK", number)
        letters = _letters_in(options)
        place = f"FreePBX: Connectivity, Trunks, trunk {number}, General, Asterisk Trunk Dial Options"
        own = f"The trunk {number} has Dial options of its own, {options},"
        if options and "T" not in letters:
            sentence = f"{own} without T: who calls outside over it cannot transfer."
            found.append(Finding(PROBLEM, _PART, sentence, Change(place, _without_t(options) + "T")))
        elif "t" in letters:
            sentence = f"{own} with t: whoever is called outside over it can transfer the call."
            found.append(Finding(WARNING, _PART, sentence, Change(place, _without_t(options))))
    return found


async def _read_own_options(session: PbxSession, family: str, number: str) -> str:
    """Return the Dial options that an extension (AMPUSER) or a trunk (TRUNK) has in AstDB, "" where it has none."""
    headers = [("Family", family), ("Key", f"{number}/dialopts")]
    return "".join(one.get("Val") for one in await session.ask_list("DBGet", headers))


def _letters_in(options: str) -> str:
    """Return the letters of Dial options without the arguments that some of them have."""
    while _ARGUMENT.search(options):
        options = _ARGUMENT.sub("", options)
    return options


def _without_t(options: str) -> str:
    """Return Dial options without the letter t; arguments stay."""
    return re.sub(r"\([^()]*\)|t", lambda found: "" if found[0] == "t" else found[0], options)


async def _read_options(session: PbxSession, lines: dict[str, Message]) -> dict[str, str]:
    """Return the option letters of the lines that connect a call."""
    found = {}
    for where, line in lines.items():
        data = line.get("AppData") or line.get("ApplicationData")
        options = await options_of(session, line.get("Application"), data)
        if options is not None:
            found[where] = options
    return found


def _is_clear(options: str) -> bool:
    return "${" not in options


async def options_of(session: PbxSession, application: str, data: str) -> str | None:
    """Return the option letters of a Dial or Queue, global variables filled in; None for any other application."""
    at = _OPTIONS_AT.get(application.lower())
    if at is None:
        return None
    for name in set(_GLOBAL.findall(data)) - {"EXTEN"}:
        if value := await session.read(name):
            data = data.replace(f"${{{name}}}", value)
    arguments = [*split_arguments(data), "", "", ""]
    options = arguments[at]
    if _is_empty_global(options):
        return ""
    return _letters_in(options)


def split_arguments(data: str) -> list[str]:
    """Return the arguments of an application; a comma inside brackets does not separate."""
    found, depth = [""], 0
    for character in data:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth <= 0:
            found.append("")
        else:
            found[-1] += character
    return found


def _is_empty_global(options: str) -> bool:
    """Say whether options consist only of FreePBX's global variables; if still unresolved, they have no value."""
    names = set(_GLOBAL.findall(options))
    return _GLOBAL.sub("", options) == "" and bool(names) and names <= {"DIAL_OPTIONS", "TRUNK_OPTIONS"}


async def _read_lines_to_phones(session: PbxSession, stored: Stored) -> dict[str, Message]:
    """Return the dialplan lines that ring the extensions with terminals."""
    lines = {}
    for number, context in sorted({(one.extension, one.context) for one in stored.terminals})[:_MOST_PHONES]:
        for line in await session.ask_list("ShowDialPlan", [("Context", context), ("Extension", number)]):
            if not line.get("IncludeContext"):
                lines[f"{line.get('Extension')} in {line.get('Context')}, line {line.get('Priority')}"] = line
    return lines


async def read_lines(session: PbxSession, contexts: list[str]) -> dict[str, Message]:
    """Return the dialplan lines of contexts and of those they include, by their place."""
    lines: dict[str, Message] = {}
    seen: set[str] = set()
    while contexts and len(seen) < _MOST_CONTEXTS:
        context = contexts.pop(0)
        if context in seen:
            continue
        seen.add(context)
        for line in await session.ask_list("ShowDialPlan", [("Context", context)]):
            if include := line.get("IncludeContext"):
                contexts.append(include)
            else:
                lines[f"{line.get('Extension')} in {context}, line {line.get('Priority')}"] = line
    return lines


async def _examine_globals(session: PbxSession, unclear: list[str]) -> Finding:
    told = await session.read("DIAL_OPTIONS")
    if "t" in told and "T" in told:
        return Finding(OK, _PART, f"The PBX's Dial options (DIAL_OPTIONS) are {told}: calls can be transferred.")
    if told:
        sentence = (
            f"The PBX's Dial options (DIAL_OPTIONS) are {told}, without T and t: some calls cannot be transferred."
        )
        return Finding(PROBLEM, _PART, sentence, await _fix_for(session))
    why = f"the options of {name_some(unclear)} are made up as the call goes" if unclear else "no Dial was seen"
    sentence = f"Whether calls have T or t cannot be seen from outside: {why}; run this again during a call."
    return Finding(UNKNOWN, _PART, sentence, DIAL_FIX)
