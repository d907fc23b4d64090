"""A 16x2 character display: HD44780 behind a PCF8574 port expander on I2C, as sold ready made.

Does not choose what to show. A board's `make_display` returns one: `Lcd(I2C(0, scl=Pin(22), sda=Pin(21)))`.
`show` sends only the characters that differ, because the expander is slow and the keypad waits meanwhile: four bytes
a character, 0.4 ms at its 100 kHz; a whole new screen takes 14 ms. A display that is unplugged shows nothing and
harms nothing. Source: the Hitachi HD44780U data sheet (4-bit start-up, figure 24) and the NXP PCF8574 data sheet.
"""

import time

CHARACTERS = 16
LINES = 2
ADDRESS = 0x27  # with all three address bridges open; 0x3F where the expander is a PCF8574A

_DATA = 0x01  # RS: the byte is a character, not a command
_ENABLE = 0x04
_LIGHT = 0x08
_FOUR_BITS_TWO_LINES = 0x28
_ON_WITHOUT_CURSOR = 0x0C
_CLEAR = 0x01
_FORWARD = 0x06
_PLACE = 0x80
_SECOND_LINE = 0x40


class Lcd:
    """One display; its lines are blank to begin with."""

    def __init__(self, i2c, address=ADDRESS, sleep_ms=time.sleep_ms):
        """Take a `machine.I2C` at 100 kHz and start the display up, which takes 65 ms."""
        self._i2c = i2c
        self._address = address
        self._shown = [" " * CHARACTERS, " " * CHARACTERS]
        sleep_ms(50)
        for _ in range(3):  # from whatever state it is in to 8 bits, which three times 3 is in every state
            self._send(self._nibble(0x30))
            sleep_ms(5)
        self._send(self._nibble(0x20))
        for command in (_FOUR_BITS_TWO_LINES, _ON_WITHOUT_CURSOR, _CLEAR, _FORWARD):
            self._send(self._byte(command, 0))
            if command == _CLEAR:
                sleep_ms(2)

    def show(self, line1, line2):
        """Show two lines of up to 16 characters; what is not printable ASCII becomes '?'."""
        for line, text in ((0, line1), (1, line2)):
            text = text[:CHARACTERS] + " " * (CHARACTERS - len(text))
            if text != self._shown[line]:
                self._send(self._changes(line, text))
                self._shown[line] = text

    def _changes(self, line, text):
        """Return the bytes that turn what is shown in a line into `text`."""
        output = b""
        is_in_place = False
        for column in range(CHARACTERS):
            if text[column] == self._shown[line][column]:
                is_in_place = False
                continue
            if not is_in_place:
                output += self._byte(_PLACE | line * _SECOND_LINE | column, 0)
                is_in_place = True
            code = ord(text[column])
            output += self._byte(code if 32 <= code < 127 else ord("?"), _DATA)
        return output

    def _byte(self, value, kind):
        return self._nibble(value & 0xF0 | kind) + self._nibble((value << 4) & 0xF0 | kind)

    def _nibble(self, value):
        """Return the two states of the expander that hand over the upper four bits: enable high, enable low."""
        return bytes([value | _LIGHT | _ENABLE, value | _LIGHT])

    def _send(self, output):
        try:
            self._i2c.writeto(self._address, output)
        except OSError:
            pass  # unplugged
