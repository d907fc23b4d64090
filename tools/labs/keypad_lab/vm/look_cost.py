"""Runs on MicroPython: looks at an idle keypad many times in one of several ways, and prints the microseconds it took.

Called as look_cost.py WAY COUNT. Does not judge. The last line is the time, or the reason why the way cannot run here.
"""

import sys
from time import sleep_us, ticks_diff, ticks_us

from machine import Pin

_ROWS = (1, 2, 3, 4)
_COLUMNS = (5, 6, 7, 8)
_LEGENDS = ["123A", "456B", "789C", "*0#D"]


def _module(name):
    """Import a module by its dotted name, because the other libraries may be missing."""
    __import__(name)
    return sys.modules[name]


def _ours():
    return _module("phoneterm.device.key_matrix").KeyMatrix(Pin, _ROWS, _COLUMNS, 10, sleep_us)


def _our_poll():
    debouncer = _module("phoneterm.core.debounce").Debouncer()
    scanner = _module("phoneterm.core.scanner").Scanner(_ours(), debouncer)
    return lambda: scanner.poll(2000)


def _nothing():
    return lambda: None


def _our_probe():
    return _ours().probe


def _our_scan():
    return _ours().scan


def _diyables():
    keypad = _module("DIYables_MicroPython_Keypad").Keypad
    return keypad("".join(_LEGENDS), _ROWS, _COLUMNS, 4, 4).get_key


def _simple():
    rows = [Pin(number) for number in _ROWS]
    columns = [Pin(number) for number in _COLUMNS]
    return _module("keypad").Keypad(rows, columns, [list(legends) for legends in _LEGENDS]).read_keypad


def _grok():
    return _module("grok").Keypad4x4(_ROWS, _COLUMNS).get_key


def main(way, count):
    """Look `count` times and print how long that took."""
    ways = {
        "nothing": _nothing, "probe": _our_probe, "scan": _our_scan, "poll": _our_poll,
        "diyables": _diyables, "simple": _simple, "grok": _grok,
    }  # fmt: skip
    try:
        look = ways[way]()
    except Exception as error:
        print("cannot run:", error)
        return
    start_us = ticks_us()
    for _ in range(count):
        look()
    print(ticks_diff(ticks_us(), start_us))


main(sys.argv[1], int(sys.argv[2]))
