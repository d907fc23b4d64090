"""Turns FreePBX's own CSV file of extensions (Admin, Bulk Handler, Export) into rows of ours. Does not know the store.

Taken are number, name and endpoint. Virtual extensions have no phone and are left out, like those of other technologies
than PJSIP and SIP. Nobody becomes multi user aware, no terminal is made, and of the passwords in the file none is kept.
A name becomes a user name: letters and digits, with a dot for each gap; a second user of that name gets the number too.
"""

import csv
import io
from typing import NamedTuple

from phoneterm_bridge.csv_files.rows import COLUMNS, CsvRow, Mistake, show
from phoneterm_bridge.csv_files.user_names import make_user_name

_NEEDED = ("extension", "name", "tech", "dial")
_TECHNOLOGIES = ("PJSIP/", "SIP/")


class FreepbxFile(NamedTuple):
    """The rows of a file, the numbers that were left out, and the file's mistakes."""

    rows: list[CsvRow]
    left_out: list[str]
    mistakes: list[Mistake]


def read_freepbx(content: bytes) -> FreepbxFile:
    """Return the extensions of a bulk handler's file."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return FreepbxFile([], [], [Mistake(content[: error.start].count(b"\n") + 1, "", "the text is not UTF-8")])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    found = FreepbxFile([], [], [])
    names: set[str] = set()
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        missing = [name for name in _NEEDED if name not in header]
        for name in missing:
            found.mistakes.append(
                Mistake(1, name, "the column is missing; export Extensions in FreePBX's Bulk Handler")
            )
        for cells in reader if not missing else ():
            one = dict(zip(header, (cell.strip() for cell in cells), strict=False))
            if any(one.values()):
                _take(found, one, reader.line_num, names)
    except csv.Error as error:
        return FreepbxFile([], [], [Mistake(reader.line_num or 1, "", f"the line is not CSV ({error})")])
    return found


def _take(found: FreepbxFile, one: dict[str, str], line: int, names: set[str]) -> None:
    number, dial = one.get("extension", ""), one.get("dial", "")
    endpoint = next((dial.removeprefix(name) for name in _TECHNOLOGIES if dial.startswith(name)), "")
    if one.get("tech", "").lower() == "virtual" or not endpoint:
        found.left_out.append(show(number))
        return
    user = make_user_name(one.get("name", "")) or number
    user = f"{user}.{number}" if user in names else user
    names.add(user)
    cells = {"user": user, "extension": number, "endpoint": endpoint}
    found.rows.append(CsvRow(line, dict.fromkeys(COLUMNS, "") | cells))
