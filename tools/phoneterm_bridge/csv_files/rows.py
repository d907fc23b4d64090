"""The CSV file of users, extensions and terminals as rows of texts: reads it and writes it. Does not know the store.

One line is a user, with an extension and a terminal if there are any; a user may have several lines. Only the column
`user` is required. UTF-8, with or without a byte order mark; separated by commas, or by semicolons if the first line
has those. Every error is a `Mistake`; all of them are returned at once.
"""

import csv
import difflib
import io
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from phoneterm_bridge.wording import outside

COLUMNS = (
    "user", "multi_user_aware", "extension", "endpoint", "context", "type", "terminal", "operations", "classes",
    "allow", "deny", "group",
)  # fmt: skip
MOST_ROWS = 100_000
_MOST_CHARS_SHOWN = 40


class Mistake(NamedTuple):
    """An error, with its line (1 is the first of the file) and column ("" for the whole line)."""

    line: int
    column: str
    sentence: str

    def __str__(self) -> str:
        """Say it in one sentence."""
        where = f"Line {self.line}, column {self.column}" if self.column else f"Line {self.line}"
        return f"{where}: {self.sentence}."


class CsvRow(NamedTuple):
    """One line of the file: its number, and the text of every column ("" where there is none)."""

    line: int
    cells: dict[str, str]


def read_rows(content: bytes) -> tuple[list[CsvRow], list[Mistake]]:
    """Return the rows of a file, and the mistakes in its form."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return [], [Mistake(line, "", "the text is not UTF-8")]
    if "\0" in text:
        return [], [Mistake(text[: text.index("\0")].count("\n") + 1, "", "the text has a NUL character")]
    first, _, _ = text.partition("\n")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in first else ",", strict=True)
    rows: list[CsvRow] = []
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        mistakes = list(_find_header_mistakes(header))
        for cells in reader if not mistakes else ():
            if any(cell.strip() for cell in cells):
                mistakes += _take_row(rows, header, cells, reader.line_num)
    except csv.Error as error:
        return [], [Mistake(reader.line_num or 1, "", f"the line is not CSV ({error})")]
    return rows, mistakes


def write_rows(rows: Iterable[dict[str, str]]) -> str:
    """Return rows as the text of a file that `read_rows` reads."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows({name: outside.show(cell) for name, cell in row.items()} for row in rows)
    return text.getvalue()


def show(text: str) -> str:
    """Return a cell's text for a sentence: escaped, and cut short."""
    shown = ascii(text)
    return shown if len(shown) <= _MOST_CHARS_SHOWN else f"{shown[:_MOST_CHARS_SHOWN]}...'"


def _take_row(rows: list[CsvRow], header: list[str], cells: list[str], line: int) -> list[Mistake]:
    if len(cells) > len(header):
        return [Mistake(line, "", f"there are {len(cells)} cells for {len(header)} columns")]
    if len(rows) >= MOST_ROWS:
        return [Mistake(line, "", f"a file may have {MOST_ROWS} lines")] if len(rows) == MOST_ROWS else []
    found = dict(zip(header, (cell.strip() for cell in cells), strict=False))
    rows.append(CsvRow(line, {name: found.get(name, "") for name in COLUMNS}))
    return []


def _find_header_mistakes(header: list[str]) -> Iterator[Mistake]:
    for index, name in enumerate(header):
        if name not in COLUMNS:
            close = difflib.get_close_matches(name, COLUMNS, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]}" if close else f"there are {', '.join(COLUMNS)}"
            yield Mistake(1, show(name), f"there is no such column; {hint}")
        elif name in header[:index]:
            yield Mistake(1, name, "the column is there twice")
    if "user" not in header:
        yield Mistake(1, "user", "the column is missing")
