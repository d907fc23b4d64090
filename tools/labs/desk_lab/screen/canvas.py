"""A sheet of characters of a fixed size, on which text is put anywhere; what does not fit is cut off.

Does not know a terminal: it gives lines of (style, text), as prompt_toolkit takes them.
"""

from itertools import groupby

Fragments = list[tuple[str, str]]


class Canvas:
    """The sheet. Places count from the upper left corner."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._cells = [[("", " ")] * width for _ in range(height)]

    def put(self, x: int, y: int, text: str, style: str = "") -> int:
        """Put text; return the place after it. What a terminal would not show as one character is a question mark."""
        for place, character in enumerate(text, x):
            if 0 <= y < self.height and 0 <= place < self.width:
                self._cells[y][place] = (style, character if character.isprintable() else "?")
        return x + len(text)

    def box(self, x: int, y: int, width: int, height: int, style: str = "") -> None:
        """Draw the edge of a box."""
        self.put(x, y, "╭" + "─" * (width - 2) + "╮", style)
        self.put(x, y + height - 1, "╰" + "─" * (width - 2) + "╯", style)
        for row in range(y + 1, y + height - 1):
            self.put(x, row, "│", style)
            self.put(x + width - 1, row, "│", style)

    def lines(self) -> list[Fragments]:
        """Return the lines."""
        return [
            [(style, "".join(text for _, text in run)) for style, run in groupby(row, key=lambda cell: cell[0])]
            for row in self._cells
        ]

    def text(self) -> str:
        """Return all of it without styles."""
        return "\n".join("".join(character for _, character in row).rstrip() for row in self._cells)
