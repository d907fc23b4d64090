"""What the names and numbers of the directory may look like. Does not know which ones exist.

A site group's name is what people call a place: "Berlin, 2nd floor". It begins with a letter or a digit, so that no
spreadsheet takes it for a formula. Each check returns None, or one sentence on what is allowed, without the full stop.
"""

import unicodedata

from phoneterm.core import messages

MOST_CLASSES = 16
MOST_GROUP_CHARS = 64
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_CLASS_CHARS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_PREFIX_CHARS = frozenset("0123456789*")


def problem_of_user(name: str) -> str | None:
    """Check a user's name."""
    return _problem_of("user name", name, _LETTERS | {"@"})


def problem_of_account(name: str) -> str | None:
    """Check the name of an account or a token of the console."""
    return _problem_of("account's name", name, _LETTERS | {"@"})


def problem_of_pbx_name(what: str, name: str) -> str | None:
    """Check an extension's endpoint, context or type; `what` says which. An endpoint may be a number with a star."""
    return _problem_of(what, name, _LETTERS | {"*"} if what == "endpoint" else _LETTERS)


def problem_of_extension(number: str) -> str | None:
    """Check an extension's number."""
    is_right = messages.is_number(number) and number[0] != "*"
    return None if is_right else "An extension's number has digits, and single stars only between digits"


def problem_of_tid(tid: str) -> str | None:
    """Check a terminal's id."""
    is_right = messages.is_tid(tid)
    return None if is_right else f"A terminal's id has 1 to {messages.MAX_TID_CHARS} of a-z, 0-9 and '-'"


def problem_of_classes(classes: tuple[str, ...]) -> str | None:
    """Check destination classes."""
    if len(classes) > MOST_CLASSES:
        return f"A terminal may have at most {MOST_CLASSES} destination classes"
    is_right = all(1 <= len(name) <= 16 and _CLASS_CHARS.issuperset(name) for name in classes)
    return None if is_right else "A destination class has 1 to 16 of a-z, 0-9 and '-'"


def problem_of_prefixes(prefixes: tuple[str, ...]) -> str | None:
    """Check prefixes of numbers."""
    most = messages.MAX_NUMBER_CHARS
    is_right = all(1 <= len(prefix) <= most and _PREFIX_CHARS.issuperset(prefix) for prefix in prefixes)
    return None if is_right else f"A prefix has 1 to {most} digits and stars"


def tidy_group(text: str) -> str:
    """Return a site group's name as it is kept: one way to write each letter, and single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def problem_of_group(name: str) -> str | None:
    """Check a site group's name; an empty one is no name."""
    is_right = 1 <= len(name) <= MOST_GROUP_CHARS and name.isprintable() and name[0].isalnum()
    if not is_right or name != tidy_group(name):
        return (
            f"A site group's name has 1 to {MOST_GROUP_CHARS} printable characters, begins with a letter or a digit, "
            "and has single spaces between words"
        )
    return "A site group cannot be named none, which means no group" if name.lower() == "none" else None


def _problem_of(what: str, name: str, allowed: frozenset[str]) -> str | None:
    if 1 <= len(name) <= 64 and allowed.issuperset(name):
        return None
    marks = " ".join(sorted(character for character in allowed if not character.isalnum()))
    return f"The {what} has 1 to 64 letters, digits and {marks} and nothing else"
