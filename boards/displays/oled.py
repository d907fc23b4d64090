"""A 128x64 or 128x32 graphic display with an SSD1306 on I2C, used as two lines of 16 characters of twice the height.

Does not choose what to show. A board's `make_display` returns one: `Oled(I2C(0, scl=Pin(22), sda=Pin(21)))`.
`show` sends only a line that differs: 256 bytes, 7 ms at the usual 400 kHz. A display that is unplugged shows
nothing and harms nothing. Source: the Solomon Systech SSD1306 data sheet (commands, and the start-up for the
built-in charge pump).
"""

import framebuf

WIDTH = 128
CHARACTERS = 16
ADDRESS = 0x3C

_COMMANDS = 0x80
_PIXELS = 0x40
_PAGES_PER_LINE = 2
_SET_COLUMNS = 0x21
_SET_PAGES = 0x22


class Oled:
    """One display; `height` is 64 or 32 pixels, of which the two lines take 32."""

    def __init__(self, i2c, height=64, address=ADDRESS):
        """Take a `machine.I2C` and start the display up, blank."""
        self._i2c = i2c
        self._address = address
        self._shown = [None, None]
        self._small = bytearray(WIDTH)
        self._canvas = framebuf.FrameBuffer(self._small, WIDTH, 8, framebuf.MONO_VLSB)
        self._tall = bytearray(1 + WIDTH * _PAGES_PER_LINE)
        self._tall[0] = _PIXELS
        com_pins = 0x12 if height == 64 else 0x02
        self._command(
            0xAE, 0x20, 0x00, 0x40, 0xA1, 0xA8, height - 1, 0xC8, 0xD3, 0x00, 0xDA, com_pins, 0xD5, 0x80, 0xD9, 0xF1,
            0xDB, 0x30, 0x81, 0xFF, 0xA4, 0xA6, 0x8D, 0x14,
        )  # fmt: skip
        for line in range(height // 16):
            self._draw(line, "")
        self._command(0xAF)

    def show(self, line1, line2):
        """Show two lines of up to 16 characters."""
        for line, text in ((0, line1[:CHARACTERS]), (1, line2[:CHARACTERS])):
            if text != self._shown[line]:
                self._shown[line] = text
                self._draw(line, text)

    def _draw(self, line, text):
        """Draw a line in small letters, stretch it to twice the height, and send it."""
        self._canvas.fill(0)
        self._canvas.text(text, 0, 0)
        for column in range(WIDTH):
            low, high = _stretch(self._small[column] & 15), _stretch(self._small[column] >> 4)
            self._tall[1 + column] = low
            self._tall[1 + WIDTH + column] = high
        page = line * _PAGES_PER_LINE
        self._command(_SET_COLUMNS, 0, WIDTH - 1, _SET_PAGES, page, page + _PAGES_PER_LINE - 1)
        self._send(self._tall)

    def _command(self, *values):
        output = bytearray()
        for value in values:
            output.append(_COMMANDS)
            output.append(value)
        self._send(output)

    def _send(self, output):
        try:
            self._i2c.writeto(self._address, output)
        except OSError:
            pass  # unplugged


def _stretch(nibble):
    """Return four pixels as eight, each twice."""
    return sum([3 << (2 * bit) for bit in range(4) if nibble >> bit & 1])
