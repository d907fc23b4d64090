"""The PBX's transfer features: are there codes, which way a transfer starts, and what would make it faster.

Does not start a transfer. Times are those measured in the lab, from the action to the caller on hold.
"""

import re

from phoneterm_bridge.asterisk_features import FIRST_VERSION_WITH_TRANSFER_EXTEN
from phoneterm_bridge.doctor.finding import OK, PROBLEM, UNKNOWN, WARNING, Change, Finding
from phoneterm_bridge.doctor.pbx_rights import read_actions
from phoneterm_bridge.doctor.pbx_session import PbxSession

_PART = "pbx features"
_MAP_FILE = "features.conf, section [featuremap] (FreePBX: features_featuremap_custom.conf)"
MAP_FIX = Change(_MAP_FILE, "atxfer = D")
_GENERAL_FILE = "features.conf, section [general] (FreePBX: features_general_custom.conf)"
_CODES = {"atxferabort": ("A", "cancel"), "atxferswap": ("B", "swap")}
_USUAL_TONE_MS, _SHORT_TONE_MS = 80, 20


async def examine_features(session: PbxSession) -> list[Finding]:
    """Look at codes, the way in use and the settings that slow it down."""
    names = ("FEATUREMAP(atxfer)", *(f"FEATURE({name})" for name in (*_CODES, "transferdialattempts")))
    code, *steering, attempts = await session.read_all(names)
    found = [_examine_code(code)]
    for (name, (letter, what)), value in zip(_CODES.items(), steering, strict=True):
        if not value:
            sentence = f"There is no code {name}, so a phone cannot {what} an attended transfer."
            found.append(Finding(WARNING, _PART, sentence, Change(_GENERAL_FILE, f"{name} = {letter}")))
    if attempts not in ("", "1"):
        sentence = f"After a wrong number the PBX asks the user for digits again ({attempts} attempts)."
        found.append(Finding(WARNING, _PART, sentence, Change(_GENERAL_FILE, "transferdialattempts = 1")))
    if code:
        found.append(await _examine_way(session, code))
        found.append(await _examine_tone(session))
    return found


def _examine_code(code: str) -> Finding:
    if code:
        return Finding(OK, _PART, f"Attended transfers have the feature code {code}.")
    sentence = "There is no feature code for attended transfers, so every *2 fails as pbx-misconfigured."
    return Finding(PROBLEM, _PART, sentence, MAP_FIX)


async def _examine_way(session: PbxSession, code: str) -> Finding:
    """The way the bridge takes: the number in a variable and the code played, or else Atxfer, which plays it all."""
    version = re.search(r"[0-9]+", (await session.ask("CoreSettings")).get("AsteriskVersion"))
    if version is None or int(version[0]) < FIRST_VERSION_WITH_TRANSFER_EXTEN:
        sentence = "Attended transfers start by Atxfer, which plays every digit (about 261 ms): Asterisk is too old."
        return Finding(OK, _PART, sentence, Change("Asterisk", f"{FIRST_VERSION_WITH_TRANSFER_EXTEN} or later"))
    actions = await read_actions(session)
    if actions and "PlayDTMF" not in actions:
        sentence = "Attended transfers start by Atxfer, which plays every digit (about 261 ms): PlayDTMF is missing."
        return Finding(OK, _PART, sentence, Change("modules.conf", "load = app_senddtmf.so"))
    if len(code) > 1:
        sentence = f"Attended transfers start by playing {code} (about 103 ms); a code of one letter takes 22 ms."
        return Finding(OK, _PART, sentence, MAP_FIX)
    return Finding(OK, _PART, "Attended transfers start the fastest way there is: one tone, the number in a variable.")


async def _examine_tone(session: PbxSession) -> Finding:
    fix = Change("asterisk.conf, section [options]", f"mindtmfduration = {_SHORT_TONE_MS}")
    if not await session.read_file("asterisk.conf", "directories", "astetcdir"):
        sentence = f"The PBX does not tell its mindtmfduration; where it is not set it is {_USUAL_TONE_MS} ms."
        return Finding(UNKNOWN, _PART, sentence, fix)
    told = await session.read_file("asterisk.conf", "options", "mindtmfduration")
    least_ms = int(told) if told.isdecimal() else _USUAL_TONE_MS
    if least_ms <= _SHORT_TONE_MS:
        return Finding(OK, _PART, f"A played code takes {least_ms} ms (mindtmfduration).")
    sentence = f"Every played code takes {least_ms} ms (mindtmfduration); {_SHORT_TONE_MS} are enough."
    return Finding(OK, _PART, sentence, fix)
