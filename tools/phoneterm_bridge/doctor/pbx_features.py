"""The PBX's transfer features: are there codes, how does a transfer start, and what would make it faster.

Does not start a transfer, and does not itself know which way the bridge takes: `asterisk.speed` does, and it has the
lines that would allow a faster one. Times were measured in the lab, from the action to the caller on hold.
"""

from dataclasses import replace

from phoneterm_bridge.doctor.finding import OK, PROBLEM, UNKNOWN, WARNING, Change, Finding
from phoneterm_bridge.doctor.pbx_session import PbxSession
from phoneterm_bridge.pbx.asterisk.features import (
    FIRST_VERSION_WITH_TRANSFER_EXTEN,
    MIN_DTMF_DEFAULT_MS,
    Features,
    ask_features,
)
from phoneterm_bridge.pbx.asterisk.speed import EVERY_DIGIT, FASTEST_MIN_DTMF_MS, LONGER_CODE, ConfigLine, speed_of

_PART = "pbx features"
_AT_FREEPBX = {
    "featuremap": "features_featuremap_custom.conf",
    "general": "features_general_custom.conf",
    "modules": "Admin, Asterisk Modules",
}


async def examine_features(session: PbxSession) -> list[Finding]:
    """Check the codes, the way in use and the settings that slow it down."""
    features = await ask_features(session)
    attempts = await session.read("FEATURE(transferdialattempts)")
    changes = _changes_for(features)
    found = [_examine_code(features.atxfer, changes)]
    for name, value, what in (("atxferabort", features.abort, "cancel"), ("atxferswap", features.swap, "swap")):
        if not value:
            sentence = f"There is no code {name}, so a phone cannot {what} an attended transfer."
            found.append(Finding(WARNING, _PART, sentence, changes[name]))
    if attempts not in ("", "1"):
        sentence = f"After a wrong number the PBX asks the user for digits again ({attempts} attempts)."
        fix = _change_of(ConfigLine("features.conf", "general", "transferdialattempts = 1", ""))
        found.append(Finding(WARNING, _PART, sentence, fix))
    if features.atxfer:
        found.append(_examine_way(features, changes))
        found.append(_examine_tone(features.min_dtmf_ms, changes))
    return found


def _change_of(line: ConfigLine) -> Change:
    custom = f" (FreePBX: {_AT_FREEPBX[line.section]})" if line.section in _AT_FREEPBX else ""
    return Change(f"{line.file}, section [{line.section}]{custom}", line.line)


def _changes_for(features: Features) -> dict[str, Change]:
    """Return the changes that make transfers faster, by key; an unknown tone length counts as the usual one."""
    if features.min_dtmf_ms is None:
        features = replace(features, min_dtmf_ms=MIN_DTMF_DEFAULT_MS)
    return {line.line.partition(" = ")[0]: _change_of(line) for line in speed_of(features).faster_with}


MAP_FIX = _changes_for(Features())["atxfer"]


def _examine_code(code: str, changes: dict[str, Change]) -> Finding:
    if code:
        return Finding(OK, _PART, f"Attended transfers have the feature code {code}.")
    sentence = "There is no feature code for attended transfers, so every *2 fails as pbx-misconfigured."
    return Finding(PROBLEM, _PART, sentence, changes["atxfer"])


def _examine_way(features: Features, changes: dict[str, Change]) -> Finding:
    """The way the bridge takes: the number in a variable and the code played, or Atxfer, which plays all digits."""
    way = speed_of(features).way
    if way == EVERY_DIGIT:
        is_old = features.version < FIRST_VERSION_WITH_TRANSFER_EXTEN
        why = "Asterisk is too old" if is_old else "PlayDTMF is missing"
        sentence = f"Attended transfers start by Atxfer, which plays every digit (about 261 ms): {why}."
        newer = Change("Asterisk", f"{FIRST_VERSION_WITH_TRANSFER_EXTEN} or later")
        return Finding(OK, _PART, sentence, newer if is_old else changes["load"])
    if way == LONGER_CODE:
        sentence = (
            f"Attended transfers start by playing {features.atxfer} (about 103 ms); a code of one letter takes 22 ms."
        )
        return Finding(OK, _PART, sentence, changes["atxfer"])
    return Finding(OK, _PART, "Attended transfers start the fastest way there is: one tone, the number in a variable.")


def _examine_tone(least_ms: int | None, changes: dict[str, Change]) -> Finding:
    fix = changes.get("mindtmfduration")
    if least_ms is None:
        sentence = f"The PBX does not tell its mindtmfduration; where it is not set it is {MIN_DTMF_DEFAULT_MS} ms."
        return Finding(UNKNOWN, _PART, sentence, fix)
    if fix is None:
        return Finding(OK, _PART, f"A played code takes {least_ms} ms (mindtmfduration).")
    sentence = f"Every played code takes {least_ms} ms (mindtmfduration); {FASTEST_MIN_DTMF_MS} are enough."
    return Finding(OK, _PART, sentence, fix)
