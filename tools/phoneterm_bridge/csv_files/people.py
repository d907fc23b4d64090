"""Turns users and extensions that a PBX has told into rows of ours. Does not know the store, and asks nobody.

Extensions that are no phone terminal are left out. What the directory has already stays as it is: an extension is not
touched, and a further one of its user comes to the same user of ours. Nobody becomes multi user aware by it, and no
terminal is made. A login, or else the name, becomes a user name, as with a file of FreePBX's.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from phoneterm_bridge.csv_files.rows import COLUMNS, CsvRow, show
from phoneterm_bridge.csv_files.user_names import make_user_name
from phoneterm_bridge.store.records import TERMINAL_TYPE


class PersonTold(NamedTuple):
    """A user, with (number, type) of each extension."""

    name: str
    login: str
    extensions: tuple[tuple[str, str], ...]


class PeopleRows(NamedTuple):
    """The rows, and the numbers that were left out."""

    rows: list[CsvRow]
    left_out: list[str]


def make_rows(people: Iterable[PersonTold], owners: Mapping[str, str]) -> PeopleRows:
    """Return a row for each extension that is new. owners: whose the extensions of the directory are."""
    found = PeopleRows([], [])
    taken = set(owners.values())
    for person in people:
        found.left_out.extend(show(number) for number, kind in person.extensions if kind != TERMINAL_TYPE)
        numbers = [number for number, kind in person.extensions if kind == TERMINAL_TYPE]
        new = [number for number in numbers if number not in owners]
        if not new:
            continue
        user = next((owners[number] for number in numbers if number in owners), None)
        if user is None:
            user = make_user_name(person.login) or make_user_name(person.name) or make_user_name(new[0])
            user = f"{user}.{make_user_name(new[0])}" if user in taken else user
            taken.add(user)
        for number in new:
            cells = {"user": user, "extension": number}
            found.rows.append(CsvRow(len(found.rows) + 1, dict.fromkeys(COLUMNS, "") | cells))
    return found
