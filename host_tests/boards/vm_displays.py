"""Runs on MicroPython: the displays' drivers against controllers that are played by what their data sheets say."""

import sys

sys.path.append(sys.argv[1])

import framebuf
import lcd
import oled


class PlayedLcd:
    """An HD44780 behind a PCF8574: takes a nibble at each fall of enable; knows the commands that the driver uses."""

    def __init__(self):
        self.memory = [bytearray(b"\xff" * 40), bytearray(b"\xff" * 40)]
        self.is_on = False
        self.writes = 0
        self._is_four_bits = False
        self._high = None
        self._last = 0
        self._place = 0

    def writeto(self, address, output):
        assert address == lcd.ADDRESS
        self.writes += len(output)
        for value in output:
            if self._last & 4 and not value & 4:
                self._take_nibble(self._last & 0xF0, self._last & 1)
            assert value & 8, "the light went out"
            self._last = value

    def _take_nibble(self, nibble, is_data):
        if not self._is_four_bits:
            self._is_four_bits = nibble == 0x20
            return
        if self._high is None:
            self._high = nibble
            return
        value, self._high = self._high | nibble >> 4, None
        if is_data:
            self.memory[self._place >> 6][self._place & 63] = value
            self._place += 1
        elif value & 0x80:
            self._place = value & 0x7F
        elif value == 1:
            self.memory = [bytearray(b" " * 40), bytearray(b" " * 40)]
        elif value & 0xF8 == 8:
            self.is_on = bool(value & 4)
        else:
            assert value in (0x28, 0x06), hex(value)

    def lines(self):
        return [bytes(memory[:16]).decode() for memory in self.memory]


class PlayedOled:
    """An SSD1306: two-byte command pairs, and pixels into the window of pages and columns."""

    def __init__(self):
        self.pages = [bytearray(b"\xff" * 128) for _ in range(8)]
        self.is_on = False
        self.writes = 0
        self._commands = []
        self._window = None

    def writeto(self, address, output):
        assert address == oled.ADDRESS
        self.writes += len(output)
        if output[0] == 0x40:
            pixels = output[1:]
            for page in range(self._window[0], self._window[1] + 1):
                self.pages[page][:] = pixels[:128]
                pixels = pixels[128:]
            assert not pixels
            return
        values = [output[index + 1] for index in range(0, len(output), 2)]
        assert all(output[index] == 0x80 for index in range(0, len(output), 2))
        if values[0] == 0x21:
            assert values[1:4] == [0, 127, 0x22]
            self._window = values[4:]
        elif values == [0xAF]:
            self.is_on = True

    def line(self, number):
        """Return a line shrunk to its eight small rows, one byte a column; fails where two pixels of a pair differ."""
        small = bytearray(128)
        for column in range(128):
            tall = self.pages[number * 2][column] | self.pages[number * 2 + 1][column] << 8
            for row in range(8):
                pair = tall >> (2 * row) & 3
                assert pair in (0, 3)
                small[column] |= (pair & 1) << row
        return small


class Unplugged:
    def writeto(self, address, output):
        raise OSError(19)


def drawn(text):
    small = bytearray(128)
    framebuf.FrameBuffer(small, 128, 8, framebuf.MONO_VLSB).text(text, 0, 0)
    return small


def test_the_lcd_starts_up_blank_and_on():
    played = PlayedLcd()
    lcd.Lcd(played, sleep_ms=lambda ms: None)
    assert played.is_on
    assert played.lines() == [" " * 16, " " * 16]


def test_the_lcd_shows_two_lines_and_what_cannot_be_printed_as_a_question_mark():
    played = PlayedLcd()
    display = lcd.Lcd(played, sleep_ms=lambda ms: None)
    display.show("Transfer to 102", "a line that is far too long")
    assert played.lines() == ["Transfer to 102 ", "a line that is f"]
    display.show("Caf\u00e9", "")
    assert played.lines() == ["Caf?            ", " " * 16]


def test_the_lcd_is_sent_only_what_differs():
    played = PlayedLcd()
    display = lcd.Lcd(played, sleep_ms=lambda ms: None)
    display.show("Transfer to 10", "")
    played.writes = 0
    display.show("Transfer to 102", "")
    assert played.writes == 8  # a place and a character, four bytes each
    display.show("Transfer to 102", "")
    assert played.writes == 8
    assert played.lines()[0] == "Transfer to 102 "


def test_the_oled_starts_up_blank_and_on():
    for height in (64, 32):
        played = PlayedOled()
        oled.Oled(played, height)
        assert played.is_on
        assert all(not any(page) for page in played.pages[: height // 8])


def test_the_oled_shows_two_lines_of_twice_the_height():
    played = PlayedOled()
    display = oled.Oled(played)
    display.show("Ready", "A join  C back")
    assert played.line(0) == drawn("Ready")
    assert played.line(1) == drawn("A join  C back")


def test_the_oled_is_sent_only_a_line_that_differs():
    played = PlayedOled()
    display = oled.Oled(played)
    display.show("Ready", "")
    played.writes = 0
    display.show("Ready", "")
    assert played.writes == 0
    display.show("Done", "")
    assert played.writes == 12 + 257
    assert played.line(0) == drawn("Done")


def test_a_display_that_is_unplugged_harms_nothing():
    lcd.Lcd(Unplugged(), sleep_ms=lambda ms: None).show("Ready", "")
    oled.Oled(Unplugged()).show("Ready", "")


for name in sorted(dir()):
    if name.startswith("test_"):
        globals()[name]()
        print("ok", name)
