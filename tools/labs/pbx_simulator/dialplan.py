"""What can be dialled at the simulated PBX: the same as in the lab's extensions.conf.

Does not dial.
"""

from pbx_lab.lab import CONTEXT, TRUNK

from pbx_simulator.parties import Pairs

MACHINE = "190"
WITH_VOICEMAIL = "191"
PICK_UP = "192"
PICKED_UP_AT = "102"
BEHIND_LOCAL = "193"
PHONE_BEHIND = "103"
ENDING = {"194": "Ringing", "195": "", "196": "Up"}  # the state in which a target ends by itself
DISPLAYING = "197"
DISPLAYED = "102"
GROUPS = ("150", "151")  # a group and a queue: here they are the same


def has_number(context: str, number: str) -> bool:
    """Say whether this context has this number: extensions are 1xx, outside numbers begin with 0."""
    if context != CONTEXT or not (number.isascii() and number.isdecimal()):
        return False
    return (len(number) == 3 and number[0] == "1") or (len(number) > 1 and number[0] == "0")


def phones_of(number: str) -> tuple[str, ...]:
    """Return the endpoints that a number rings."""
    if number in GROUPS:
        return ("102", "103")
    if number == DISPLAYING:
        return ("101",)
    if number == WITH_VOICEMAIL:
        return ("102",)
    return (TRUNK,) if number.startswith("0") else (number,)


def list_lines(context: str, number: str, options: str, ring_s: int) -> list[Pairs]:
    """Return the first lines of a context's extensions (of one number, unless it is ""), as ShowDialPlan lists them."""
    group = "&".join(f"PJSIP/{phone}" for phone in phones_of("150"))
    plan = {
        "150": ("Dial", f"{group},{ring_s},{options}"),
        "190": ("Answer", ""),
        "_0X.": ("Dial", f"PJSIP/${{EXTEN}}@{TRUNK},{ring_s},{options}"),
        "_1XX": ("Dial", f"PJSIP/${{EXTEN}},{ring_s},{options}"),
    }
    fitting = number if number in plan else f"_{number[:1]}{'X.' if number[:1] == '0' else 'XX'}"
    return [
        [("Event", "ListDialplan"), ("Context", context), ("Extension", extension), ("Priority", "1"),
         ("Application", application), ("AppData", data), ("Registrar", "pbx_config")]
        for extension, (application, data) in plan.items()
        if not number or extension == fitting
    ]  # fmt: skip
