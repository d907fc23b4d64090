"""Reads a 4x4 key matrix: open-drain rows driven low one at a time, columns pulled up.

Does not debounce or decide when to look. Nothing here allocates after the constructor.
A row that saw a closed contact is driven high (its resting level) before it is released. Otherwise its columns would
rise by their pull-ups alone, and keys of this row would appear in the next one. No row is ever driven high while
another is low, so pressed keys cannot short two outputs. Rows have pull-ups too: some pins have a pull-down after a
reset, which would halve the voltage of a pressed key's column while other rows are read. A pin keeps its pull when its
mode changes. `settle_us` is how long a column gets to follow its row, in microseconds: more for long wires.
On an ESP32, GPIO 34-39 cannot be columns (no pull-ups) or rows (no outputs).
"""

SIDE = 4


class KeyMatrix:
    """Four rows and four columns of pins; contacts are a 16-bit map, bit row * 4 + column."""

    def __init__(self, pin_class, row_numbers, column_numbers, settle_us, sleep_us):
        """Take `machine.Pin`, the pin numbers, the settle time and `time.sleep_us`; leave every row at rest."""
        if len(row_numbers) != SIDE or len(column_numbers) != SIDE:
            raise ValueError("a key matrix has 4 rows and 4 columns of pins")
        pull = pin_class.PULL_UP
        self._rows = [pin_class(number, pin_class.OPEN_DRAIN, pull, value=1) for number in row_numbers]
        self._columns = [pin_class(number, pin_class.IN, pull) for number in column_numbers]
        self._driven = pin_class.OUT
        self._open_drain = pin_class.OPEN_DRAIN
        self._settle_us = settle_us
        self._sleep_us = sleep_us

    def probe(self):
        """Say whether any contact is closed, with all rows low at once."""
        first, second, third, fourth = self._rows
        first(0)
        second(0)
        third(0)
        fourth(0)
        self._sleep_us(self._settle_us)
        is_closed = self._read_columns() != 0
        first(1)
        second(1)
        third(1)
        fourth(1)
        if is_closed:
            for row in self._rows:
                self._rest(row)
        return is_closed

    def scan(self):
        """Return the contacts that are closed, reading one row after the other."""
        contacts = 0
        shift = 0
        for row in self._rows:
            row(0)
            self._sleep_us(self._settle_us)
            columns = self._read_columns()
            if columns:
                contacts |= columns << shift
                self._rest(row)
            else:
                row(1)
            shift += SIDE
        return contacts

    def _read_columns(self):
        """Return the columns that read low; written out, because an idle processor spends most of its time here."""
        first, second, third, fourth = self._columns
        return 15 ^ (first() | second() << 1 | third() << 2 | fourth() << 3)

    def _rest(self, row):
        row.init(self._driven, value=1)
        row.init(self._open_drain, value=1)
