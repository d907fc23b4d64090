"""Turns users and extensions that a PBX has told into rows of ours. Does not know the store, and asks nobody.

Extensions that are no phone terminal are left out. What the directory has already stays as it is: an extension is not
touched, and a further one of its user comes to the same user of ours. So does what the directory has under another
number, by its endpoint. What cannot come in is left out and named: one extension of a thousand does not hold up the
others. Nobody becomes multi user aware by it, and no terminal is made. A login, or else the name, becomes a user name,
as with a file of FreePBX's.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from phoneterm_bridge.csv_files.rows import COLUMNS, CsvRow, show
from phoneterm_bridge.csv_files.user_names import make_user_name
from phoneterm_bridge.store import names
from phoneterm_bridge.store.records import TERMINAL_TYPE


class PersonTold(NamedTuple):
    """A user, with (number, type) of each extension."""

    name: str
    login: str
    extensions: tuple[tuple[str, str], ...]


class PeopleRows(NamedTuple):
    """The rows; the numbers that are no phone terminals; others that cannot come in, each with why."""

    rows: list[CsvRow]
    left_out: list[str]
    refused: list[str]


def make_rows(
    people: Iterable[PersonTold], owners: Mapping[str, str], numbers: Collection[str] = (), users: Collection[str] = ()
) -> PeopleRows:
    """Return a row for each extension that is new.

    owners: whose the extensions of the directory are, by their numbers at the PBX. numbers, users: those that the
    directory has otherwise.
    """
    found = PeopleRows([], [], [])
    whose = dict(owners)
    taken = {*owners.values()}
    for person in people:
        found.left_out.extend(show(number) for number, kind in person.extensions if kind != TERMINAL_TYPE)
        told = list(dict.fromkeys(number for number, kind in person.extensions if kind == TERMINAL_TYPE))
        user = next((owners[number] for number in told if number in owners), None)
        new = [number for number in told if number not in owners]
        for number in new:
            problem = _problem_of(number, whose, numbers)
            if problem is not None:
                found.refused.append(f"{show(number)} {problem}")
                continue
            user = user or _choose_name(person, number, taken, users)
            taken.add(user)
            whose[number] = user
            cells = {"user": user, "extension": number}
            found.rows.append(CsvRow(len(found.rows) + 1, dict.fromkeys(COLUMNS, "") | cells))
    return found


def _problem_of(number: str, whose: Mapping[str, str], numbers: Collection[str]) -> str | None:
    """Return why a new extension cannot come in."""
    if names.problem_of_extension(number) is not None:
        return "cannot be an extension's number here"
    if number in whose:
        return f"is told of several users; it came to {whose[number]}"
    return "is the number of another extension here" if number in numbers else None


def _choose_name(person: PersonTold, number: str, taken: Collection[str], users: Collection[str]) -> str:
    """Return a name that nobody with an extension has; a user without one, of the same login, is the same person."""
    plain = make_user_name(person.login) or make_user_name(person.name) or make_user_name(number)
    if plain not in taken:
        return plain
    numbered = f"{plain}.{make_user_name(number)}"
    others = (numbered, *(f"{numbered}.{count}" for count in range(2, len(taken) + len(users) + 3)))
    return next(name for name in others if name not in taken and name not in users)
