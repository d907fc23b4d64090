"""The one table of what lamp and buzzer do for each signal; eye alone or ear alone can distinguish all of them.

Does not drive pins or keep time; the indicator does. A signal is standing or momentary:
- a standing signal shows the present state, and its lamp pattern goes on until the next standing one;
- a momentary signal reports an event, plays over the standing one, and gives way to one that matters at least as
  much (`priority`).
A lamp pattern's steps are milliseconds on, off, on, off, ...; a tone pattern's steps are (frequency1_hz,
frequency2_hz, ms): 0 and 0 are silence, a second frequency of 0 is a pure tone. `repeats` 0: for as long as it
stands. In the table they are text, which is small on the device, in Asterisk's own notation for tones.
Special information means that a number is wrong, congestion that something failed, busy that a colleague did not
take the call: callers of the country know these tones already.
Source: Asterisk's indications table (configs/samples/indications.conf).
"""

from collections import namedtuple

Pattern = namedtuple("Pattern", "steps repeats")

DEFAULT_COUNTRY = "us"

# country|busy|congestion|special information: hertz or hertz+hertz, /milliseconds
_CADENCES = (
    "\n"
    "au|425/375,0/375|425/375,0/375,420/375,0/375|425/2500\n"
    "de|425/480,0/480|425/240,0/240|\n"
    "es|425/200,0/200|425/200,0/200,425/200,0/200,425/200,0/600|950/330\n"
    "fr|440/500,0/500|440/250,0/250|\n"
    "it|425/500,0/500|425/200,0/200|\n"
    "nl|425/500,0/500|425/250,0/250|\n"
    "uk|400/375,0/375|400/400,0/350,400/225,0/525|950/330,0/15,1400/330,0/15,1800/330\n"
    "us|480+620/500,0/500|480+620/250,0/250|\n"
)
_SPECIAL = "950/330,1400/330,1800/330"  # of countries without their own
_CADENCE_MS = 1400  # a country's cadence is played as often as it takes to be recognised
_CALLER_IS_BACK = "660/100,990/250"

# signal|priority (0: standing)|lamp repeats|lamp steps|tone repeats|tone steps, or which tone of the country
_TABLE = (
    "\n"
    "starting|0|0|500,500|0|\n"
    "no-link|0|0|60,1940|1|500/200,400/200,300/500\n"
    "ready|0|0|1000,0|0|\n"
    "keypad-fault|0|0|100,100,100,700|2|200/500,0/200\n"
    "open|0|0|150,150|1|660/60,880/60\n"
    "consulting|0|0|900,100|1|523/120,659/120,784/200\n"
    "key|1|1|0,40|1|2000/20\n"
    "accepted|2|1|0,100,300,100|1|880/90,0/60,880/90\n"
    "done|3|1|0,100,1500,100|1|784/150,1047/350\n"
    "returned|3|3|300,100,100,300|1|busy\n"
    "refused-permission|3|3|80,80,80,400|3|300/120,0/80\n"
    "refused-number|3|2|400,200,80,400|1|special\n"
    "unsupported|3|2|400,100,80,100,80,400|2|880/120,440/120,0/160\n"
    "no-call|3|2|80,600|1|440/150,0/50,330/400\n"
    "failed|3|6|250,250|1|congestion\n"
    "unknown|3|4|600,100,100,100|4|440/200,660/200\n"
    "identify|4|50|100,100|10|1200/100,0/900\n"
)

NAMES = tuple([row.split("|")[0] for row in _TABLE[1:-1].split("\n")])
COUNTRIES = tuple([row.split("|")[0] for row in _CADENCES[1:-1].split("\n")])


def lamp(name):
    """Return the lamp Pattern of a signal; ValueError for a name that does not exist."""
    _, _, repeats, steps, _, _ = _row(_TABLE, name).split("|")
    return Pattern(tuple(map(int, steps.split(","))), int(repeats))


def tone(name, country):
    """Return the tone Pattern of a signal (no steps: silent), with the tones of `country` or of the default one."""
    _, _, _, _, repeats, text = _row(_TABLE, name).split("|")
    _, busy, congestion, special = _row(_CADENCES, country if is_country(country) else DEFAULT_COUNTRY).split("|")
    if text == "busy":
        steps = _long_enough(busy) + _steps(_CALLER_IS_BACK)
    elif text == "congestion":
        steps = _long_enough(congestion)
    else:
        steps = _steps((special or _SPECIAL) if text == "special" else text)
    return Pattern(steps, int(repeats))


def is_standing(name):
    """Say whether this signal stands until the next standing one, instead of playing once."""
    return priority(name) == 0


def is_heard(name, standing):
    """Say whether the tone plays when `name` is indicated while `standing` (or None) stands.

    A lost link is shown at once, but heard only after a key press: fifty phones need not sound at the same time.
    """
    return name != "no-link" or standing == name


def priority(name):
    """Return how much a signal matters; a playing signal gives way to one that matters at least as much."""
    return int(_row(_TABLE, name)[len(name) + 1])


def is_country(country):
    """Say whether there are tones for this country."""
    return "\n%s|" % country in _CADENCES


def _row(table, name):
    at = table.find("\n%s|" % name) + 1
    if not at:
        raise ValueError("no such signal: " + str(name))
    return table[at : table.find("\n", at)]


def _steps(text):
    steps = []
    for step in text.split(",") if text else ():
        tones, ms = step.split("/")
        first, _, second = tones.partition("+")
        steps.append((int(first), int(second or 0), int(ms)))
    return tuple(steps)


def _long_enough(text):
    cadence = _steps(text)
    cadence_ms = sum([step[2] for step in cadence])
    return cadence * ((_CADENCE_MS + cadence_ms - 1) // cadence_ms)
