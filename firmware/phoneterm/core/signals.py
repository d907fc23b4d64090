"""The one table of what lamp and buzzer do for each signal, told apart by eye alone and by ear alone.

Does not drive pins or keep time; the indicator does. A signal is standing or momentary:
- a standing one says how things are, and its lamp pattern goes on until the next standing one;
- a momentary one says what has just happened, plays over the standing one, and gives way to one that matters
  at least as much (`priority`).
A lamp pattern's steps are milliseconds on, off, on, off, ...; a tone pattern's steps are (frequency1_hz,
frequency2_hz, ms): 0 and 0 are silence, a second frequency of 0 is a pure tone. `repeats` 0: for as long as it
stands. Call progress tones follow the PBX world's own: special information for a number that is not right,
congestion for what failed, busy for a colleague who did not take the call.
Source: Asterisk's indications table (configs/samples/indications.conf).
"""

from collections import namedtuple

Pattern = namedtuple("Pattern", ("steps", "repeats"))

DEFAULT_COUNTRY = "us"
_COUNTRIES = {  # busy, congestion, special information
    "us": (((480, 620, 500), (0, 0, 500)), ((480, 620, 250), (0, 0, 250)),
           ((950, 0, 330), (1400, 0, 330), (1800, 0, 330))),
    "uk": (((400, 0, 375), (0, 0, 375)), ((400, 0, 400), (0, 0, 350), (400, 0, 225), (0, 0, 525)),
           ((950, 0, 330), (0, 0, 15), (1400, 0, 330), (0, 0, 15), (1800, 0, 330))),
    "de": (((425, 0, 480), (0, 0, 480)), ((425, 0, 240), (0, 0, 240)), ((950, 0, 330), (1400, 0, 330), (1800, 0, 330))),
    "fr": (((440, 0, 500), (0, 0, 500)), ((440, 0, 250), (0, 0, 250)), ((950, 0, 330), (1400, 0, 330), (1800, 0, 330))),
    "nl": (((425, 0, 500), (0, 0, 500)), ((425, 0, 250), (0, 0, 250)), ((950, 0, 330), (1400, 0, 330), (1800, 0, 330))),
    "it": (((425, 0, 500), (0, 0, 500)), ((425, 0, 200), (0, 0, 200)), ((950, 0, 330), (1400, 0, 330), (1800, 0, 330))),
    "es": (((425, 0, 200), (0, 0, 200)),
           ((425, 0, 200), (0, 0, 200), (425, 0, 200), (0, 0, 200), (425, 0, 200), (0, 0, 600)), ((950, 0, 330),)),
    "au": (((425, 0, 375), (0, 0, 375)), ((425, 0, 375), (0, 0, 375), (420, 0, 375), (0, 0, 375)), ((425, 0, 2500),)),
}  # fmt: skip
COUNTRIES = tuple(sorted(_COUNTRIES))

_BUSY, _CONGESTION, _INFORMATION = range(3)  # in place of steps: the country's own tone
_CADENCE_MS = 1400  # a country's cadence is played as often as it takes to be recognised
_CALLER_IS_BACK = ((660, 0, 100), (990, 0, 250))

_STANDING = 0  # the priority of every standing signal
_TABLE = {
    # name: (priority, lamp repeats, lamp steps, tone repeats, tone steps)
    "starting": (_STANDING, 0, (500, 500), 0, ()),
    "no-link": (_STANDING, 0, (60, 1940), 1, ((500, 0, 200), (400, 0, 200), (300, 0, 500))),
    "ready": (_STANDING, 0, (1000, 0), 0, ()),
    "keypad-fault": (_STANDING, 0, (100, 100, 100, 700), 2, ((200, 0, 500), (0, 0, 200))),
    "open": (_STANDING, 0, (150, 150), 1, ((660, 0, 60), (880, 0, 60))),
    "consulting": (_STANDING, 0, (900, 100), 1, ((523, 0, 120), (659, 0, 120), (784, 0, 200))),
    "key": (1, 1, (0, 40), 1, ((2000, 0, 20),)),
    "accepted": (2, 1, (0, 100, 300, 100), 1, ((880, 0, 90), (0, 0, 60), (880, 0, 90))),
    "done": (3, 1, (0, 100, 1500, 100), 1, ((784, 0, 150), (1047, 0, 350))),
    "returned": (3, 3, (300, 100, 100, 300), 1, _BUSY),
    "refused-permission": (3, 3, (80, 80, 80, 400), 3, ((300, 0, 120), (0, 0, 80))),
    "refused-number": (3, 2, (400, 200, 80, 400), 1, _INFORMATION),
    "no-call": (3, 2, (80, 600), 1, ((440, 0, 150), (0, 0, 50), (330, 0, 400))),
    "failed": (3, 6, (250, 250), 1, _CONGESTION),
    "unknown": (3, 4, (600, 100, 100, 100), 4, ((440, 0, 200), (660, 0, 200))),
    "identify": (4, 50, (100, 100), 10, ((1200, 0, 100), (0, 0, 900))),
}  # fmt: skip

NAMES = tuple(sorted(_TABLE))


def lamp(name):
    """Return the lamp Pattern of a signal; KeyError for a name that does not exist."""
    row = _TABLE[name]
    return Pattern(row[2], row[1])


def tone(name, country):
    """Return the tone Pattern of a signal (no steps: silent), with the tones of `country` or of the default one."""
    row = _TABLE[name]
    steps = row[4]
    if not isinstance(steps, int):
        return Pattern(steps, row[3])
    steps_of_country = _COUNTRIES.get(country, _COUNTRIES[DEFAULT_COUNTRY])[steps]
    cadence_ms = sum(step[2] for step in steps_of_country)
    times = 1 if steps == _INFORMATION else (_CADENCE_MS + cadence_ms - 1) // cadence_ms
    return Pattern(steps_of_country * times + (_CALLER_IS_BACK if steps == _BUSY else ()), 1)


def is_standing(name):
    """Say whether this signal stands until the next standing one, instead of playing once."""
    return _TABLE[name][0] == _STANDING


def is_heard(name, standing):
    """Say whether the tone plays when `name` is indicated while `standing` (or None) stands.

    A lost link is shown at once, but heard only by whoever presses a key then: fifty phones need not cry out.
    """
    return name != "no-link" or standing == name


def priority(name):
    """Return how much a signal matters; one that plays gives way to one that matters at least as much."""
    return _TABLE[name][0]
