"""What can be dialled at the simulated PBX: the same as in the lab's extensions.conf.

Does not dial. `freepbx` has the numbers of the other dialplan.
"""

from pbx_lab.lab import CONTEXT, TRUNK, LabOptions

from pbx_simulator import freepbx
from pbx_simulator.parties import Pairs

CONFERENCE = "180"
MACHINE = "190"
WITH_VOICEMAIL = "191"
PICK_UP = "*88"
PICKED_UP_AT = "102"
BEHIND_LOCAL = "193"
PHONE_BEHIND = "103"
ENDING = {"194": "Ringing", "195": "", "196": "Up"}  # the state in which a target ends by itself
ANSWERING_BUSY = "198"
DISPLAYING = "197"
DISPLAYED = "102"
GROUPS = ("150", "151")  # a group and a queue: here they are the same


def has_number(context: str, number: str, options: LabOptions) -> bool:
    """Say whether this context has this number: extensions are 1xx, outside numbers begin with 0."""
    if options.dialplan == "freepbx":
        return bool(freepbx.find_entries(context, number, options.has_wide_route))
    if context == CONTEXT and number == PICK_UP:
        return True
    if context != CONTEXT or not (number.isascii() and number.isdecimal()):
        return False
    return (len(number) == 3 and number[0] == "1") or (len(number) > 1 and number[0] == "0")


def has_context(context: str, options: LabOptions) -> bool:
    """Say whether the dialplan has this context."""
    return context in (freepbx.CONTEXTS if options.dialplan == "freepbx" else (CONTEXT,))


def phones_of(number: str, options: LabOptions) -> tuple[str, ...]:
    """Return the endpoints that a number rings."""
    if options.dialplan == "freepbx":
        return freepbx.phones_of(number, options.has_wide_route)
    if number in GROUPS:
        return ("102", "103")
    if number == DISPLAYING:
        return ("101",)
    if number == WITH_VOICEMAIL:
        return ("102",)
    return (TRUNK,) if number.startswith("0") else (number,)


def list_lines(context: str, number: str, letters: str, options: LabOptions) -> list[Pairs]:
    """Return lines of a context's extensions (of one number, unless it is ""), as ShowDialPlan lists them.

    letters: the options of every Dial.
    """
    if options.dialplan == "freepbx":
        found = freepbx.find_entries(context, number, options.has_wide_route)
        return [
            _line(one.context, one.extension, priority, line)
            for one in found
            for priority, line in enumerate(one.lines, 1)
        ]
    group = "&".join(f"PJSIP/{phone}" for phone in phones_of("150", options))
    plan = {
        "150": ("Dial", f"{group},{options.ring_s},{letters}"),
        "180": ("ConfBridge", "desk"),
        "190": ("Answer", ""),
        "_0X.": ("Dial", f"PJSIP/${{EXTEN}}@{TRUNK},{options.ring_s},{letters}"),
        "_1XX": ("Dial", f"PJSIP/${{EXTEN}},{options.ring_s},{letters}"),
    }
    fitting = number if number in plan else f"_{number[:1]}{'X.' if number[:1] == '0' else 'XX'}"
    return [_line(context, one, 1, line) for one, line in plan.items() if not number or one == fitting]


def _line(context: str, extension: str, priority: int, line: tuple[str, str]) -> Pairs:
    return [("Event", "ListDialplan"), ("Context", context), ("Extension", extension), ("Priority", str(priority)),
            ("Application", line[0]), ("AppData", line[1]), ("Registrar", "pbx_config")]  # fmt: skip
