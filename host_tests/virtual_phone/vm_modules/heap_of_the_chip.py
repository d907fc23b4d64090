"""A firmware that measures how much heap the simulated chip's own modules take; it does not judge the figure."""

import asyncio  # noqa: F401 - the firmware has it anyway
import gc

for number in range(300):  # the interpreter's table of names grows in steps; none may fall into the measurement
    exec("name_%d = 0; del name_%d" % (number, number))
gc.collect()
before = gc.mem_alloc()
import board  # noqa: E402 - importing is what is measured
import esp32  # noqa: E402, F401
import machine  # noqa: E402
import network  # noqa: E402, F401

display = board.make_display()
pins = [machine.Pin(number) for number in board.ROWS + board.COLUMNS]
gc.collect()
print("took", gc.mem_alloc() - before)
