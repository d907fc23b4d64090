"""Compares the digit map with the store's extensions, and makes sample numbers for a dialplan. Does not ask the PBX.

Samples come from a walk through the map that is the same every time, so two runs try the same numbers.
"""

import random

from phoneterm.core.digit_map import DigitMap
from phoneterm.core.digit_map_compiler import compile_map
from phoneterm.core.messages import Rejected

from phoneterm_bridge.doctor.finding import OK, PROBLEM, WARNING, Change, Finding
from phoneterm_bridge.doctor.store import Stored
from phoneterm_bridge.policy.rules import FORBIDDEN_CLASSES
from phoneterm_bridge.policy.site import digit_map_of, make_policy
from phoneterm_bridge.settings.bridge import PhoneSettings
from phoneterm_bridge.settings.policy import PolicySettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.wording.names import name_some

_PART = "digit map"
_DIGITS = "0123456789"
_LENGTHS = (3, 2, 4, 5, 7, 9, 11, 1, 13)
_WALKS_OF_EACH_LENGTH = 40
MOST_SAMPLES = 60


def examine_digit_map(phones: PhoneSettings, policy: PolicySettings, stored: Stored) -> list[Finding]:
    """Check the map, and that the store's extensions and the terminals' classes are in it."""
    try:
        make_policy(phones, policy)
    except SetupProblem as problem:
        return [Finding(PROBLEM, _PART, str(problem), Change("settings, section [phones]", 'digit_map = "..."'))]
    digit_map = compile_map(digit_map_of(phones))
    found = []
    unheard = [place.number for place in stored.places if digit_map.class_of(place.number) is None]
    if unheard:
        sentence = (
            f"No phone can key these extensions of the store, because the digit map lacks them: {name_some(unheard)}."
        )
        fix = Change("settings, section [phones]", f'digit_map = "internal:{unheard[0]}|{digit_map_of(phones)}"')
        found.append(Finding(WARNING, _PART, sentence, fix))
    known = {group.name for group in digit_map.groups}
    for terminal in stored.terminals:
        if strange := [name for name in terminal.classes if name not in known]:
            sentence = f"The terminal {terminal.tid} may dial {name_some(strange)}, which the digit map does not have."
            rest = ",".join(name for name in terminal.classes if name in known)
            choice = f"'{rest}'" if rest else f"CLASSES   # of {name_some(sorted(known - FORBIDDEN_CLASSES))}"
            fix = Change("command line", f"phoneterm terminal grant {terminal.tid} --classes {choice}")
            found.append(Finding(WARNING, _PART, sentence, fix))
    return found or [
        Finding(OK, _PART, f"The digit map is clear and has all extensions; classes: {name_some(sorted(known))}.")
    ]


def read_digit_map(phones: PhoneSettings) -> DigitMap | None:
    """Return the digit map in force, None when it is invalid."""
    compiled = compile_map(digit_map_of(phones))
    return None if isinstance(compiled, Rejected) else compiled


def sample_numbers(digit_map: DigitMap) -> dict[str, list[str]]:
    """Return short and long numbers of every class that can be a target."""
    samples: dict[str, list[str]] = {
        group.name: [] for group in digit_map.groups if group.name not in FORBIDDEN_CLASSES
    }
    draw = random.Random(1)  # noqa: S311  for the same numbers every time
    for _ in range(_WALKS_OF_EACH_LENGTH):
        for group in digit_map.groups:
            for length in _LENGTHS:
                number = _walk(digit_map, group.every, length, draw)
                name = digit_map.class_of(number)
                if name in samples and number not in samples[name] and len(samples[name]) < MOST_SAMPLES:
                    samples[name].append(number)
    return samples


def _walk(digit_map: DigitMap, places: int, most: int, draw: random.Random) -> str:
    """Return a number of at most this many digits that stays within these places of the map as long as possible."""
    state, number = digit_map.start(), ""
    while len(number) < most:
        ways = [digit for digit in _DIGITS if digit_map.step(state, digit) & places]
        if not ways:
            break
        digit = draw.choice(ways)
        state, number = digit_map.step(state, digit), number + digit
    return number
