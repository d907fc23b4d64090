"""A 4x4 matrix of contacts without diodes: which columns are pulled low by which driven rows.

Does not know time, legends or pins. A contact is (row, column), both 0 to 3. A row pulls every column to which closed
contacts connect it by any path, so three closed corners of a rectangle look like four.
"""

ROWS = 4
COLUMNS = 4


class ContactMatrix:
    """The contacts that are closed now."""

    def __init__(self) -> None:
        self.closed: set[tuple[int, int]] = set()

    def set_closed(self, row: int, column: int, is_closed: bool) -> None:
        """Close or open one contact."""
        if not (0 <= row < ROWS and 0 <= column < COLUMNS):
            raise ValueError(f"there is no contact in row {row}, column {column}")
        if is_closed:
            self.closed.add((row, column))
        else:
            self.closed.discard((row, column))

    def lows(self) -> list[int]:
        """Return, for each bit mask of rows driven low, the bit mask of columns that read low."""
        reached = [self._columns_of(row) for row in range(ROWS)]
        lows = []
        for mask in range(1 << ROWS):
            low = 0
            for row in range(ROWS):
                if mask >> row & 1:
                    low |= reached[row]
            lows.append(low)
        return lows

    def _columns_of(self, row: int) -> int:
        """Return the columns connected with a row, as a bit mask."""
        rows, columns = {row}, set[int]()
        while True:
            columns_now = {c for r, c in self.closed if r in rows}
            rows_now = rows | {r for r, c in self.closed if c in columns_now}
            if columns_now == columns and rows_now == rows:
                return sum(1 << column for column in columns)
            rows, columns = rows_now, columns_now
