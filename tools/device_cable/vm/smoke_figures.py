"""Measures on the board what needs nobody at the keypad: memory, clock, waiting, flash, and the cost of a scan.

Does not import anything that talks to the network. Prints a line for each figure or fact: name, value. It is sent as
text to a board with empty memory. It removes what it writes to the flash.
"""

import asyncio
import gc
import os
import time

import esp32
import machine

_LOOKS = 500
_WAITS = 51
_LOOPS = 100000
_FILE = "smoke.tmp"
_FILE_BYTES = 16384
_CAUSES = {1: "power on", 2: "hard reset", 3: "watchdog", 4: "deep sleep", 5: "soft reset"}


def print_figure(name, value):
    print(name, value)


def tell_memory(when):
    """Print how full MicroPython's heap is, and how much is left to ESP-IDF for Wi-Fi, sockets and TLS."""
    gc.collect()
    print_figure("heap_used_%s_bytes" % when, gc.mem_alloc())
    try:
        regions = esp32.idf_heap_info(esp32.HEAP_DATA | 1 << 11)  # what lies inside the chip
    except AttributeError:
        return
    print_figure("idf_free_%s_bytes" % when, sum(region[1] for region in regions))
    print_figure("idf_largest_%s_bytes" % when, max(region[2] for region in regions))
    print_figure("idf_least_bytes", sum(region[3] for region in regions))


def loop_ms():
    """Return the time to count to _LOOPS."""
    started_ms = time.ticks_ms()
    for _ in range(_LOOPS):
        pass
    return time.ticks_diff(time.ticks_ms(), started_ms)


async def wait_us():
    """Return how long asyncio.sleep_ms(1) takes: median and maximum."""
    took = []
    for _ in range(_WAITS):
        started_us = time.ticks_us()
        await asyncio.sleep_ms(1)
        took.append(time.ticks_diff(time.ticks_us(), started_us))
    took.sort()
    return took[_WAITS // 2], took[-1]


def flash_ms():
    """Return the times to write and to read a file of _FILE_BYTES."""
    block = bytes(512)
    started_ms = time.ticks_ms()
    with open(_FILE, "wb") as file:
        for _ in range(_FILE_BYTES // len(block)):
            file.write(block)
    written_ms = time.ticks_ms()
    with open(_FILE, "rb") as file:
        while file.read(len(block)):
            pass
    read_ms = time.ticks_ms()
    os.remove(_FILE)
    return time.ticks_diff(written_ms, started_ms), time.ticks_diff(read_ms, written_ms)


print_figure("reset_cause", _CAUSES.get(machine.reset_cause(), "unknown"))
print_figure("frequency_mhz", machine.freq() // 1000000)
print_figure("loop_ms", loop_ms())
tell_memory("empty")
started_ms = time.ticks_ms()
from phoneterm import VERSION, assembly  # noqa: E402, F401 - everything the terminal consists of

print_figure("load_ms", time.ticks_diff(time.ticks_ms(), started_ms))
print_figure("firmware", VERSION)
tell_memory("loaded")
wait_median_us, wait_longest_us = asyncio.run(wait_us())
print_figure("wait_median_us", wait_median_us)
print_figure("wait_longest_us", wait_longest_us)
write_ms, read_ms = flash_ms()
print_figure("flash_write_ms", write_ms)
print_figure("flash_read_ms", read_ms)

import board  # noqa: E402
from machine import Pin  # noqa: E402
from phoneterm.core.debounce import INDEX, PRESSED, STUCK, WORKING, Debouncer  # noqa: E402
from phoneterm.core.scanner import Scanner  # noqa: E402
from phoneterm.device.key_matrix import KeyMatrix  # noqa: E402

matrix = KeyMatrix(Pin, board.ROWS, board.COLUMNS, board.SETTLE_US, time.sleep_us)


def measure(look):
    """Return the cost of one look, in microseconds and in bytes of garbage."""
    look()
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    started_us = time.ticks_us()
    for _ in range(_LOOKS):
        look()
    took_us = time.ticks_diff(time.ticks_us(), started_us)
    taken = gc.mem_alloc() - before
    gc.enable()
    return took_us / _LOOKS, taken // _LOOKS


probe_us, probe_bytes = measure(matrix.probe)
scan_us, scan_bytes = measure(matrix.scan)
print_figure("probe_us", round(probe_us, 1))
print_figure("scan_us", round(scan_us, 1))
print_figure("look_garbage_bytes", probe_bytes + scan_bytes)
for row in matrix._rows:
    row.init(Pin.IN)
print_figure("rows_low", sum(not row.value() for row in matrix._rows))
matrix = KeyMatrix(Pin, board.ROWS, board.COLUMNS, board.SETTLE_US, time.sleep_us)

scanner = Scanner(matrix, Debouncer())
scanner.poll(0)  # what is down at the first look does not count: somebody may press as soon as a key is asked for
print_figure("legends", board.LEGENDS)


def await_key(wait_ms):
    """Print the index of the next key and how often it went down until it was up for 0.3 s; -1 when none came."""
    index, presses, quiet_ms = -1, 0, 0
    last_us = time.ticks_us()
    while wait_ms > 0 if index < 0 else quiet_ms < 300:
        now_us = time.ticks_us()
        elapsed_us = time.ticks_diff(now_us, last_us)
        last_us = now_us
        for change in scanner.changes[: scanner.poll(elapsed_us)]:
            if change & (STUCK | WORKING):
                continue
            quiet_ms = 0
            if change & PRESSED:
                index = change & INDEX if index < 0 else index
                presses += change & INDEX == index
        wait_ms -= elapsed_us / 1000
        quiet_ms = 0 if scanner._debouncer.held else quiet_ms + elapsed_us / 1000
        time.sleep_ms(scanner.wait_ms)
    print(index, presses)
