"""Runs on MicroPython: the displays' drivers against controllers simulated from their data sheets."""

import gc
import sys

sys.path.append(sys.argv[1])
sys.path.append(sys.argv[2])

import framebuf
from lcd import Lcd
from oled import Oled
from played_displays import PlayedLcd, PlayedOled


class Bus:
    """An I2C bus with one display on it, or none; counts the bytes sent, in total and in one step of a driver."""

    def __init__(self, played, hz):
        self.played = played
        self.hz = hz
        self.writes = self.bytes = self.step_us = 0

    def writeto(self, address, output):
        self.writes += 1
        self.bytes += len(output)
        self.step_us += (1 + len(output)) * 9 * 1000000 // self.hz
        if self.played is None or address != self.played.ADDRESS:
            raise OSError(19)
        self.played.feed(output)


def make_oled(height=64):
    bus = Bus(PlayedOled(), 400000)
    return bus, Oled(bus, height)


def make_lcd():
    bus = Bus(PlayedLcd(), 100000)
    return bus, Lcd(bus)


TEXTS = ("Ready", "", "Transfer to", "0123456789abcdef")
BOTH = (make_oled, make_lcd)


def step_once(bus, display):
    """Let the driver do one step, and check that it stays within its limit on the bus."""
    bus.step_us = 0
    wait_ms = display.step()
    assert bus.step_us <= 2000, bus.step_us
    return wait_ms


def finish(bus, display):
    """Step until nothing is left to do; return the number of steps."""
    count = 0
    while step_once(bus, display):
        count += 1
        assert count < 50
    return count


def started(make):
    bus, display = make()
    finish(bus, display)
    bus.bytes = 0
    return bus, display


def small(text):
    pixels = bytearray(8)
    framebuf.FrameBuffer(pixels, 8, 8, framebuf.MONO_VLSB).text(text, 0, 0)
    return bytes(pixels)


LETTERS = {small(chr(code)): chr(code) for code in range(32, 128)}


def lines(bus):
    return bus.played.lines(LETTERS)


def padded(line1, line2):
    return [line1 + " " * (16 - len(line1)), line2 + " " * (16 - len(line2))]


def test_a_display_that_is_made_has_not_been_written_to():
    for make in BOTH:
        assert make()[0].writes == 0


def test_the_lcd_starts_up_blank_and_on():
    bus, _ = started(make_lcd)
    assert bus.played.is_on
    assert lines(bus) == padded("", "")


def test_the_lcd_gets_the_time_that_its_data_sheet_wants_for_the_start_up():
    _, display = make_lcd()
    assert [display.step() for _ in range(9)] == [50, 5, 5, 5, 1, 1, 2, 1, 1]
    assert display.step() == 0


def test_a_display_that_ran_before_the_chip_was_reset_starts_anew():
    for make in BOTH:
        for steps in (4, 7, 30):  # in the middle of its start-up, and later
            bus, display = make()
            display.show("Ready", "A join  C back")
            for _ in range(steps):
                step_once(bus, display)
            again = type(display)(bus)
            finish(bus, again)
            assert lines(bus) == padded("", "")
            again.show("Starting", "")
            finish(bus, again)
            assert lines(bus) == padded("Starting", "")


def test_the_lcd_starts_anew_in_the_midst_of_a_byte():
    bus, display = started(make_lcd)
    bus.writeto(bus.played.ADDRESS, bytes([0x4D, 0x49]))
    again = type(display)(bus)
    finish(bus, again)
    again.show("Ready", "")
    finish(bus, again)
    assert lines(bus) == padded("Ready", "")


def test_the_oled_starts_up_blank_and_on():
    for height in (64, 32):
        bus, display = make_oled(height)
        finish(bus, display)
        assert bus.played.is_on
        assert all(not any(page) for page in bus.played.pages)
        assert bus.played.settings[0xA8] == height - 1
        assert bus.played.settings[0xDA] == (0x12 if height == 64 else 0x02)


def test_a_display_shows_two_lines():
    for make in BOTH:
        bus, display = started(make)
        for line1, line2 in (("Ready", "A join  C back"), ("#" * 16, "@" * 16), ("", "9")):
            display.show(line1, line2)
            finish(bus, display)
            assert lines(bus) == padded(line1, line2), lines(bus)


def test_a_line_is_cut_to_16_letters():
    for make in BOTH:
        bus, display = started(make)
        display.show("a line that is far too long", "0123456789abcdefg")
        finish(bus, display)
        assert lines(bus) == ["a line that is f", "0123456789abcdef"]


def test_the_lcd_shows_what_cannot_be_printed_as_question_marks():
    bus, display = started(make_lcd)
    display.show("Caf\u00e9", "\x01")
    finish(bus, display)
    assert lines(bus) == padded("Caf??", "?")


def test_what_is_wanted_during_the_start_up_is_shown_after_it():
    for make in BOTH:
        bus, display = make()
        step_once(bus, display)
        display.show("Starting", "")
        finish(bus, display)
        assert lines(bus) == padded("Starting", "")


def test_only_letters_that_differ_are_sent():
    for make, cost in ((make_lcd, 8), (make_oled, 7 + 17)):  # each with the place of it
        bus, display = started(make)
        display.show("Transfer to", "10")
        finish(bus, display)
        bus.bytes = 0
        display.show("Transfer to", "102")
        assert finish(bus, display) == 1
        assert bus.bytes == cost
        assert lines(bus) == padded("Transfer to", "102")


def test_what_is_shown_already_is_not_drawn():
    for make in BOTH:
        bus, display = started(make)
        display.show("Ready", "")
        finish(bus, display)
        bus.bytes = 0
        display.show("Rea" + "dy", "")
        assert display.step() == 0
        assert bus.bytes == 0


def test_what_is_replaced_before_it_is_shown_is_never_drawn():
    for make in BOTH:
        bus, display = started(make)
        display.show("Transfer to", "1")
        finish(bus, display)
        display.show("@" * 16, "#" * 16)
        step_once(bus, display)
        display.show("Transfer to", "1")
        assert finish(bus, display) == 1  # only what that step drew is put right
        assert lines(bus) == padded("Transfer to", "1")
        display.show("@" * 16, "#" * 16)
        display.show("Transfer to", "1")
        assert finish(bus, display) == 0


def test_showing_allocates_nothing():
    for make in BOTH:
        bus, display = started(make)
        bus.played = SilentDisplay(bus.played.ADDRESS)
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        for line in TEXTS:
            display.show(line, "Ready")
            while display.step():
                pass
        taken = gc.mem_alloc() - before
        gc.enable()
        assert taken == 0, taken


def test_starting_up_allocates_nothing():
    for display in (Oled(SilentBus()), Oled(SilentBus(), 32), Lcd(SilentBus())):
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        while display.step():
            pass
        taken = gc.mem_alloc() - before
        gc.enable()
        assert taken == 0, taken


class SilentDisplay:
    """A display that accepts everything and keeps nothing."""

    def __init__(self, address):
        self.ADDRESS = address

    def feed(self, output):
        pass


class SilentBus:
    """A bus that accepts everything."""

    def writeto(self, address, output):
        pass


def test_a_display_that_does_not_answer_costs_one_try_and_nothing_after_that():
    for make in BOTH:
        bus, display = make()
        bus.played = None
        display.show("Ready", "")
        finish(bus, display)
        assert bus.writes == 1
        display.show("Done", "")
        assert display.step() == 0
        assert bus.writes == 1


def test_a_display_that_is_pulled_out_while_it_is_drawn_costs_nothing_after_that():
    for make in BOTH:
        bus, display = started(make)
        display.show("Ready", "A join  C back")
        step_once(bus, display)
        bus.played, bus.writes = None, 0
        finish(bus, display)
        display.show("Done", "")
        assert display.step() == 0
        assert bus.writes == 1


for name in sorted(dir()):
    if name.startswith("test_"):
        globals()[name]()
        print("ok", name)
