"""A 128x64 or 128x32 graphic display with an SSD1306 on I2C, used as two lines of 16 characters of twice the height.

Does not choose what to show. A board's `make_display` returns one: `Oled(I2C(0, scl=Pin(22), sda=Pin(21)))`.
A step draws up to four letters that differ from what is shown: 72 bytes at the usual 400 kHz, about 2.2 ms including
the computing. Neither `show` nor a step allocates. A display that does not answer is given up until the next start.
Source: the Solomon Systech SSD1306 data sheet (commands, and the start-up for the built-in charge pump).
"""

from struct import pack_into

import framebuf
from micropython import const

_CHARACTERS = const(16)
ADDRESS = 0x3C

_LETTERS = const(4)  # in a step
_LETTER = const(8)  # pixels, in both directions, before they are stretched
_PAUSE_MS = const(1)
_DOUBLED = b"\x00\x03\x0c\x0f\x30\x33\x3c\x3f\xc0\xc3\xcc\xcf\xf0\xf3\xfc\xff"  # four pixels as eight, each twice
_PIXELS = const(0x40)
_SET_UP = (
    b"\x00\xae\x20\x00\x40\xa1\xa8\x3f\xc8\xd3\x00\xda\x12\xd5\x80\xd9\xf1\xdb\x30\x81\xff\xa4\xa6\x8d\x14"
    b"\x21\x00\x7f\x22\x00\x07"
)
_LOW = b"\x00\xa8\x1f\xda\x02"  # 32 pixels high
_ON = b"\x00\xaf"
_BLANKS = const(16)  # steps that make all 1024 bytes of pixels dark


class Oled:
    """One display; `height` is 64 or 32 pixels, of which the two lines take 32."""

    def __init__(self, i2c, height=64, address=ADDRESS):
        """Take a `machine.I2C`; the first steps start the display up, blank."""
        self._i2c = i2c
        self._height = height
        self._address = address
        self._line1 = self._line2 = ""
        self._wanted = bytearray(2 * _CHARACTERS)
        self._shown = bytearray(2 * _CHARACTERS)
        self._steps = 0
        self._small = bytearray(_LETTERS * _LETTER)
        self._canvas = framebuf.FrameBuffer(self._small, _LETTERS * _LETTER, _LETTER, framebuf.MONO_VLSB)
        self._window = bytearray(b"\x00\x21\x00\x00\x22\x00\x00")
        self._tall = bytearray(1 + 2 * _LETTERS * _LETTER)
        self._tall[0] = _PIXELS
        tall = memoryview(self._tall)
        self._pieces = tuple([tall[: 1 + 2 * _LETTER * count] for count in range(1 + _LETTERS)])

    def show(self, line1, line2):
        """Set the two lines to show, of up to 16 characters; steps draw them."""
        self._line1 = line1
        self._line2 = line2
        pack_into("16s16s", self._wanted, 0, line1, line2)

    def step(self):
        """Work for at most 3 ms; return the ms to wait before the next step, 0 when nothing is left to do."""
        if self._i2c is None:
            return 0
        try:
            if self._steps <= _BLANKS + 1:
                self._start()
            elif self._wanted == self._shown:
                return 0
            else:
                self._draw()
        except OSError:
            self._i2c = None
            return 0
        return _PAUSE_MS

    def _start(self):
        """Do the next step of the start-up: set the display up, make its pixels dark, and switch it on."""
        if self._steps == 0:
            self._send(_SET_UP)
            if self._height == 32:
                self._send(_LOW)
        else:
            self._send(self._tall if self._steps <= _BLANKS else _ON)
        self._steps += 1

    def _draw(self):
        """Draw the first letters that are not shown yet: small, stretched to twice the height, and sent."""
        wanted, shown = self._wanted, self._shown  # more names at once would make a tuple
        small, tall = self._small, self._tall
        first = 0
        while wanted[first] == shown[first]:
            first += 1
        line, letter = first // _CHARACTERS, first % _CHARACTERS
        count = 1
        while count < _LETTERS and letter + count < _CHARACTERS and wanted[first + count] != shown[first + count]:
            count += 1
        self._canvas.fill(0)
        self._canvas.text(self._line2 if line else self._line1, -_LETTER * letter, 0)
        width = count * _LETTER
        for column in range(width):
            pixels = small[column]
            tall[1 + column] = _DOUBLED[pixels & 15]
            tall[1 + width + column] = _DOUBLED[pixels >> 4]
        window = self._window
        window[2] = letter * _LETTER
        window[3] = window[2] + width - 1
        window[5] = line * 2
        window[6] = window[5] + 1
        self._send(window)
        self._send(self._pieces[count])
        for index in range(first, first + count):
            shown[index] = wanted[index]

    def _send(self, output):
        self._i2c.writeto(self._address, output)
