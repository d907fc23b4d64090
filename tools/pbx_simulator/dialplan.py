"""What can be dialled at the simulated PBX: the same as in the lab's extensions.conf.

Does not dial.
"""

from pbx_lab.lab import CONTEXT, TRUNK

MACHINE = "190"
GROUP = "150"


def has_number(context: str, number: str) -> bool:
    """Say whether this context has this number: extensions are 1xx, outside numbers begin with 0."""
    if context != CONTEXT or not (number.isascii() and number.isdecimal()):
        return False
    return (len(number) == 3 and number[0] == "1") or (len(number) > 1 and number[0] == "0")


def phones_of(number: str) -> tuple[str, ...]:
    """Return the endpoints that a number rings."""
    if number == GROUP:
        return ("102", "103")
    return (TRUNK,) if number.startswith("0") else (number,)
