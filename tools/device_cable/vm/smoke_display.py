"""Measures on the board the cost of drawing on its display: the longest step, the steps of two lines, the garbage.

Does not need a display: if none answers, the driver writes to a bus that only takes the time. Prints a line for each
figure: name, value; nothing for a board without a display.
"""

import gc
import sys
import time

import board

_LINES = (("Transfer to", ""), ("Transfer to", "1"), ("Caller on hold", "A join  C back"), ("@" * 16, "#" * 16))


class Bus:
    """A bus with nine clocks for each byte and for the address; the processor waits meanwhile, as for a real one."""

    def __init__(self, clock_hz):
        self._clock_hz = clock_hz

    def writeto(self, address, output):
        time.sleep_us((len(output) + 1) * 9000000 // self._clock_hz)


class Drawing:
    """The cost of the steps so far."""

    def __init__(self, display):
        self._display = display
        self.longest_us = self.steps = self.bytes = 0

    def draw(self, line1, line2):
        """Show two lines, and step until everything is drawn."""
        display, ticks_us = self._display, time.ticks_us
        before = gc.mem_alloc()
        display.show(line1, line2)
        wait_ms = 1
        while wait_ms:
            started_us = ticks_us()
            wait_ms = display.step()
            took_us = time.ticks_diff(ticks_us(), started_us)
            if took_us > self.longest_us:
                self.longest_us = took_us
            self.steps += 1
            time.sleep_ms(wait_ms)
        self.bytes += gc.mem_alloc() - before


def measure(display):
    drawing = Drawing(display)
    gc.collect()
    gc.disable()
    for line1, line2 in _LINES:
        drawing.steps = 0
        drawing.draw(line1, line2)
    gc.enable()
    return drawing


display = board.make_display()
if display:
    drawing = measure(display)
    is_there = getattr(display, "_i2c", display) is not None
    if not is_there:
        display = board.make_display()
        display._i2c = Bus(100000 if "lcd" in sys.modules else 400000)
        drawing = measure(display)
    print("display_answers", int(is_there))
    print("display_step_ms", round(drawing.longest_us / 1000, 1))
    print("display_steps", drawing.steps - 1)
    print("display_garbage_bytes", drawing.bytes)
