"""Plays the controllers of displays according to their data sheets: bytes from the bus in, two lines of text out.

Does not take time. Knows the commands that the drivers in `boards/displays` use; ValueError names any other, so that
a driver's mistake is noticed. Runs on CPython, for the virtual phone, and on MicroPython, for the drivers' tests.
"""

CHARACTERS = 16
LINES = 2
_UNKNOWN = "\ufffd"


class PlayedOled:
    """An SSD1306: commands, and pixels into a window of columns and pages. `pages` are bytes of eight pixels each."""

    ADDRESS = 0x3C
    _WIDTH = 128
    _PAGES = 8
    _SIMPLE = (0x40, 0xA1, 0xC8, 0xA4, 0xA6)
    _ARGUMENTS = {0x20: 1, 0x21: 2, 0x22: 2, 0x81: 1, 0x8D: 1, 0xA8: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1}  # noqa: RUF012

    def __init__(self) -> None:
        """Start as after power-on: dark, with arbitrary pixels."""
        self.pages = [bytearray(b"\xff" * self._WIDTH) for _ in range(self._PAGES)]
        self.is_on = False
        self.settings: dict[int, int] = {}
        self._columns = (0, self._WIDTH - 1)
        self._rows = (0, self._PAGES - 1)
        self._column = self._page = 0

    def feed(self, output: bytes) -> None:
        """Take one write to the display; its first byte says what the others are."""
        if output[0] == 0x40:
            for pixels in output[1:]:
                self._draw(pixels)
        elif output[0] == 0x00:
            self._obey(list(output[1:]))
        else:
            raise ValueError(f"an SSD1306 has no such control byte: {output[0]:#04x}")

    def lines(self, letters: dict[bytes, str]) -> list[str]:
        """Return the text of both lines; `letters` maps the eight bytes of a small letter to its character."""
        return ["".join([letters.get(small, _UNKNOWN) for small in self._smalls(line)]) for line in range(LINES)]

    def _smalls(self, line: int) -> list[bytes]:
        """Return each letter of a line shrunk to half its height; b"" if the two pixels of a pair differ."""
        if not self.is_on:
            return [bytes(8)] * CHARACTERS
        upper, lower = self.pages[2 * line], self.pages[2 * line + 1]
        columns = [_shrink(upper[column] | lower[column] << 8) for column in range(self._WIDTH)]
        return [_join(columns[first : first + 8]) for first in range(0, self._WIDTH, 8)]

    def _obey(self, commands: list[int]) -> None:
        while commands:
            command = commands.pop(0)
            arguments = [commands.pop(0) for _ in range(self._ARGUMENTS.get(command, 0))]
            if command in (0xAE, 0xAF):
                self.is_on = command == 0xAF
            elif command == 0x21:
                self._columns = (arguments[0], arguments[1])
                self._column = arguments[0]
            elif command == 0x22:
                self._rows = (arguments[0], arguments[1])
                self._page = arguments[0]
            elif arguments:
                self.settings[command] = arguments[0]
            elif command not in self._SIMPLE:
                raise ValueError(f"no driver's command for an SSD1306: {command:#04x}")

    def _draw(self, pixels: int) -> None:
        self.pages[self._page][self._column] = pixels
        self._column += 1
        if self._column > self._columns[1]:
            self._column = self._columns[0]
            self._page = self._page + 1 if self._page < self._rows[1] else self._rows[0]


class PlayedLcd:
    """An HD44780 behind a PCF8574: takes a nibble at each falling edge of enable. `memory` holds both lines."""

    ADDRESS = 0x27

    def __init__(self) -> None:
        """Start as after power-on: eight bits, and off."""
        self.memory = [bytearray(b"\xff" * 40), bytearray(b"\xff" * 40)]
        self.is_on = False
        self._is_four_bits = False
        self._high: int | None = None
        self._last = 0
        self._place = 0

    def feed(self, output: bytes) -> None:
        """Take one write to the expander."""
        for value in output:
            if not value & 8:
                raise ValueError("the light went out")
            if self._last & 4 and not value & 4:
                self._take_nibble(self._last & 0xF0, self._last & 1)
            self._last = value

    def lines(self, letters: dict[bytes, str]) -> list[str]:
        """Return the text of both lines; the controller has letters of its own."""
        if not self.is_on:
            return [" " * CHARACTERS] * LINES
        return ["".join([chr(code) for code in memory[:CHARACTERS]]) for memory in self.memory]

    def _take_nibble(self, nibble: int, is_data: int) -> None:
        if not self._is_four_bits:
            self._obey(nibble)
        elif self._high is None:
            self._high = nibble
        else:
            value, self._high = self._high | nibble >> 4, None
            if is_data:
                self.memory[self._place >> 6][self._place & 63] = value
                self._place += 1
            else:
                self._obey(value)

    def _obey(self, command: int) -> None:
        if command & 0x80:
            self._place = command & 0x7F
        elif command == 1:
            self.memory = [bytearray(b" " * 40), bytearray(b" " * 40)]
        elif command & 0xF8 == 8:
            self.is_on = bool(command & 4)
        elif command & 0xE0 == 0x20:
            self._is_four_bits = not command & 0x10
            self._high = None
        elif command != 0x06 and command & 0xC0 != 0x40:  # moving forward, and an address of user-defined letters
            raise ValueError(f"no driver's command for an HD44780: {command:#04x}")


def _join(columns: list[int | None]) -> bytes:
    """Return the bytes of a letter, b"" when one of its columns is not a letter's."""
    return b"" if None in columns else bytes([column or 0 for column in columns])


def _shrink(tall: int) -> int | None:
    """Return eight pixels for sixteen; None if the two of a pair differ."""
    small = 0
    for row in range(8):
        pair = tall >> (2 * row) & 3
        if pair not in (0, 3):
            return None
        small |= (pair & 1) << row
    return small
