"""Extended numbers such as 0003*210: the organization, a star, and the extension as its own phones dial it.

Does not know which extensions there are. In the directory an endpoint may be either form; without a star it belongs to
the organization of the settings.
"""


def extended_of(name: str, organization: str) -> str:
    """Return an endpoint or a number of this organization with the organization in front."""
    return name if "*" in name else f"{organization}*{name}"


def shorten_number(number: str, organization: str) -> str:
    """Return a number as the phones of this organization dial it."""
    return number.removeprefix(f"{organization}*")


def forms_of(number: str, organization: str) -> frozenset[str]:
    """Return a number as everybody may write it: with the organization in front, and without if it is this one."""
    return frozenset((number, shorten_number(number, organization)))
