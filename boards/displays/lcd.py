"""A 16x2 character display: HD44780 behind a PCF8574 port expander on I2C, as sold ready made.

Does not choose what to show. A board's `make_display` returns one:
`Lcd(I2C(0, scl=Pin(22), sda=Pin(21), freq=100000))`.
A step sends up to four characters that differ from what is shown, because the expander is slow: four bytes for each
character, 0.4 ms at its 100 kHz. Neither `show` nor a step allocates. A display that does not answer is given up
until the next start. Source: the Hitachi HD44780U data sheet (4-bit start-up, figure 24), the NXP PCF8574 data sheet.
"""

from struct import pack_into

from micropython import const

_CHARACTERS = const(16)
ADDRESS = 0x27  # with all three address bridges open; 0x3F where the expander is a PCF8574A

_MOST = const(4)  # characters in a step
_PAUSE_MS = const(1)
_DATA = const(0x01)  # RS: the byte is a character, not a command
_ENABLE = const(0x04)
_LIGHT = const(0x08)
_PLACE = const(0x80)
_SECOND_LINE = const(0x40)
# (bits, ms to wait afterwards): first four-bit values, then 8-bit commands that are sent whole. Three times 3 leads to
# 8 bits from any state; then four bits; two lines, cleared, forward, and on without a cursor.
_POWER_MS = const(50)
_START = ((0x30, 5), (0x30, 5), (0x30, 5), (0x20, 1), (0x28, 1), (0x01, 2), (0x06, 1), (0x0C, 1))
_NIBBLES = const(4)  # of them are sent as four bits


class Lcd:
    """One display; its lines are blank to begin with."""

    def __init__(self, i2c, address=ADDRESS):
        """Take a `machine.I2C` at 100 kHz; the first steps start the display up."""
        self._i2c = i2c
        self._address = address
        self._wanted = bytearray(2 * _CHARACTERS)
        self._shown = bytearray(2 * _CHARACTERS)
        self._steps = -1
        self._output = bytearray(4 * (1 + _MOST))
        self._length = 0
        output = memoryview(self._output)
        self._pieces = tuple([output[: 4 * count or 2] for count in range(2 + _MOST)])

    def show(self, line1, line2):
        """Set the two lines to show, of up to 16 characters; steps draw them, '?' for anything but printable ASCII."""
        pack_into("16s16s", self._wanted, 0, line1, line2)

    def step(self):
        """Work for at most 3 ms; return the ms to wait before the next step, 0 when nothing is left to do."""
        if self._i2c is None:
            return 0
        try:
            if self._steps < len(_START):
                return self._start()
            if self._wanted == self._shown:
                return 0
            self._draw()
        except OSError:
            self._i2c = None
            return 0
        return _PAUSE_MS

    def _start(self):
        """Do the next step of the start-up; return how long the display needs for it."""
        self._steps += 1
        if self._steps == 0:
            return _POWER_MS
        bits, wait_ms = _START[self._steps - 1]
        self._length = 0
        self._add(bits, 0)
        self._send(0 if self._steps <= _NIBBLES else 1)
        return wait_ms

    def _draw(self):
        """Send the first characters that are not shown yet, one beside the other."""
        wanted, shown = self._wanted, self._shown
        first = 0
        while wanted[first] == shown[first]:
            first += 1
        line, column = first // _CHARACTERS, first % _CHARACTERS
        self._length = 0
        self._add(_PLACE | line * _SECOND_LINE | column, 0)
        count = 0
        while count < _MOST and column + count < _CHARACTERS and wanted[first + count] != shown[first + count]:
            code = wanted[first + count] or ord(" ")
            self._add(code if 32 <= code < 127 else ord("?"), _DATA)
            count += 1
        self._send(1 + count)
        for index in range(first, first + count):
            shown[index] = wanted[index]

    def _add(self, value, kind):
        """Add the states of the expander that pass on a byte as two times four bits: enable high, enable low."""
        output, length = self._output, self._length
        output[length + 1] = value & 0xF0 | kind | _LIGHT
        output[length] = output[length + 1] | _ENABLE
        output[length + 3] = value << 4 & 0xF0 | kind | _LIGHT
        output[length + 2] = output[length + 3] | _ENABLE
        self._length = length + 4

    def _send(self, count):
        self._i2c.writeto(self._address, self._pieces[count])
