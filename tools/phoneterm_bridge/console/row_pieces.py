"""The rows of terminals as pieces of a page, each made once for all who see it, until it changes. Knows no terminal.

A list of a thousand is so made of pieces that are there already, and an update of one costs the same for any number of
pages.
"""

import jinja2
from markupsafe import Markup

from phoneterm_bridge.console.rows import Row


class RowPieces:
    """The last piece of each terminal."""

    def __init__(self, templates: jinja2.Environment) -> None:
        self._template = templates.get_template("terminal_row.html")
        self._made: dict[str, tuple[Row, Markup]] = {}

    def make(self, row: Row) -> Markup:
        """Return the piece of a row."""
        made = self._made.get(row.tid)
        if made is None or made[0] != row:
            made = self._made[row.tid] = (row, Markup(self._template.render(row=row)))  # noqa: S704 - escaped
        return made[1]

    def forget(self, tid: str) -> None:
        """A terminal was removed."""
        self._made.pop(tid, None)
