"""The rights of the bridge's AMI login: enough for the bridge, and no more. Does not try any action.

Write classes follow from ListCommands, which lists exactly the actions this login may use, each with its classes. A
login cannot ask for its read classes. They are known from the PBX's own file if it can be read (func_config), otherwise
from events received here, or lately by the bridge. A second login makes an event of class security, and every login
one of class system.
"""

import asyncio
import re
from contextlib import suppress

from phoneterm_bridge.doctor.finding import OK, PROBLEM, UNKNOWN, WARNING, Change, Finding
from phoneterm_bridge.doctor.pbx_files import MANAGER_FILE, MODULES_FILE
from phoneterm_bridge.doctor.pbx_session import PbxSession, open_session
from phoneterm_bridge.pbx.ami.refused import AmiRefused
from phoneterm_bridge.pbx.ami.settings import AmiSettings
from phoneterm_bridge.wording.names import name_some

_PART = "pbx rights"
_FILE = MANAGER_FILE
READ_CLASSES = frozenset({"call"})
WRITE_CLASSES = frozenset({"call", "reporting"})
_ACTIONS = (
    "BlindTransfer", "Atxfer", "CancelAtxfer", "Hangup", "Setvar", "Getvar", "CoreShowChannels", "CoreSettings",
)  # fmt: skip
_LISTEN_S = 0.3
_PRIVILEGES = re.compile(r"\(Priv: ([a-z,]+)\)$")


async def examine_rights(session: PbxSession, login: AmiSettings, has_heard_calls: bool = False) -> list[Finding]:
    """Check read and write classes, and whether this login can read the PBX's files."""
    actions = await read_actions(session)
    written = _examine_write(session.username, actions)
    if actions and "Getvar" not in actions:
        return written
    return [
        *written,
        *await _examine_read(session, login, has_heard_calls),
        *await _examine_files(session),
    ]


async def read_actions(session: PbxSession) -> dict[str, frozenset[str]]:
    """Return the actions this login may use, each with the classes that allow it."""
    found = {}
    for name, text in (await session.ask("ListCommands")).pairs:
        if classes := _PRIVILEGES.search(text):
            found[name] = frozenset(classes[1].split(",")) - {"all"}
    return found


def excess_of(actions: dict[str, frozenset[str]]) -> list[str]:
    """Return the classes that this login has beyond the bridge's; of several possible ones, the likeliest."""
    beyond = [classes for classes in actions.values() if classes and not classes & WRITE_CLASSES]
    alone = {name for classes in beyond if len(classes) == 1 for name in classes}
    unclear = {"/".join(sorted(classes)) for classes in beyond if not classes & alone}
    return sorted(alone | unclear)


def _examine_write(username: str, actions: dict[str, frozenset[str]]) -> list[Finding]:
    fix = Change(_FILE, f"[{username}] write = call,reporting")
    if not actions:
        sentence = "The PBX does not say what this login may do (no answer to ListCommands)."
        return [Finding(UNKNOWN, _PART, sentence)]
    if missing := [name for name in _ACTIONS if name not in actions]:
        sentence = f"The AMI login {username} lacks write classes: it may not use {name_some(missing)}."
        return [Finding(PROBLEM, _PART, sentence, fix)]
    if excess := excess_of(actions):
        sentence = f"The AMI login {username} has more write classes than a bridge needs: {name_some(excess, 20)}."
        return [Finding(WARNING, _PART, sentence, fix)]
    return [Finding(OK, _PART, f"The AMI login {username} has the write classes call and reporting, and no other.")]


async def _examine_read(session: PbxSession, login: AmiSettings, has_heard_calls: bool) -> list[Finding]:
    fix = Change(_FILE, f"[{session.username}] read = call")
    told = await session.read_file("manager.conf", session.username, "read")
    classes = {name.strip() for name in told.split(",") if name.strip()}
    if not classes:
        with suppress(AmiRefused):  # where nobody is let in twice, nothing is provoked
            async with open_session(login):
                await asyncio.sleep(_LISTEN_S)
        classes = session.seen_classes
    found = []
    has_call = bool(classes & {"call", "all"})
    if told and not has_call:
        sentence = f"The AMI login {session.username} lacks the read class call: the bridge sees no call at all."
        found.append(Finding(PROBLEM, _PART, sentence, fix))
    if excess := sorted(classes - READ_CLASSES):
        sentence = (
            f"The AMI login {session.username} has more read classes than a bridge needs: {name_some(excess, 20)}."
        )
        found.append(Finding(WARNING, _PART, sentence, fix))
    if not told and not has_call and not has_heard_calls:
        sentence = (
            f"Whether the AMI login {session.username} has the read class call shows only while calls go on; "
            f"`asterisk -rx 'manager show user {session.username}'` says it."
        )
        found.append(Finding(UNKNOWN, _PART, sentence, fix))
    right = f"The AMI login {session.username} has the read class call{', and no other' if told else ''}."
    return found or [Finding(OK, _PART, right)]


async def _examine_files(session: PbxSession) -> list[Finding]:
    """Asterisk's function AST_CONFIG shows any login that may use Getvar every line of every file."""
    if not await session.read_file("manager.conf", "general", "enabled"):
        return [Finding(OK, _PART, "This login cannot read the PBX's configuration files (func_config is not loaded).")]
    sentence = (
        "Every AMI login that may use Getvar can read all of the PBX's files, passwords too (module func_config)."
    )
    return [Finding(WARNING, _PART, sentence, Change(MODULES_FILE, "noload = func_config.so"))]
