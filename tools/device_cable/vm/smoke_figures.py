"""Measures on the board what needs no hands: the heap, and what a look at the keypad costs.

Does not import anything that talks to the network. Prints one line a figure: name, value. Sent as text to a board
whose memory is empty.
"""

import gc
import time

_LOOKS = 500


def tell(name, value):
    print(name, value)


gc.collect()
tell("heap_all_bytes", gc.mem_alloc() + gc.mem_free())
started_ms = time.ticks_ms()
from phoneterm import assembly  # noqa: E402, F401 - everything the terminal consists of

tell("load_ms", time.ticks_diff(time.ticks_ms(), started_ms))
gc.collect()
tell("heap_free_bytes", gc.mem_free())

import board  # noqa: E402
from machine import Pin  # noqa: E402
from phoneterm.core.debounce import INDEX, PRESSED, STUCK, WORKING, Debouncer  # noqa: E402
from phoneterm.core.scanner import Scanner  # noqa: E402
from phoneterm.device.key_matrix import KeyMatrix  # noqa: E402

matrix = KeyMatrix(Pin, board.ROWS, board.COLUMNS, board.SETTLE_US, time.sleep_us)


def measure(look):
    """Return what one look takes, in microseconds and in bytes of garbage."""
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
tell("probe_us", round(probe_us, 1))
tell("scan_us", round(scan_us, 1))
tell("look_garbage_bytes", probe_bytes + scan_bytes)
tell("legends", board.LEGENDS)

scanner = Scanner(matrix, Debouncer())


def await_key(wait_ms):
    """Print the place of the next key and how often it went down until it was up for 0.3 s; -1 when none came."""
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
