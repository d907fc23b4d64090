"""The ESP32's `machine.Timer`, and an asyncio wait that its interrupt ends, as on that port.

Does not interrupt running code: a callback is called when asyncio waits next; a chip would call it sooner.
There is one timer, and it fires once: more is not used.
With PHONETERM_TICK_MS every other wait lasts to the end of a tick of that many ms, even if a socket becomes ready
meanwhile, as a chip waits for FreeRTOS's tick of 10 ms. Waiting allocates nothing.
Source: MicroPython's ports/esp32, machine_timer.c and mpconfigport.h (MICROPY_EVENT_POLL_HOOK); extmod/modselect.c.
"""

import os
import time
from asyncio import core

_TICK_US = int(os.getenv("PHONETERM_TICK_MS") or 0) * 1000


class Timer:
    """The timer; it also replaces asyncio's poller."""

    def __init__(self, id):  # noqa: A002 - the chip's own name
        poller = self._poller = core._io_queue.poller
        self.register, self.modify, self.unregister = poller.register, poller.modify, poller.unregister
        self._callback = None
        core._io_queue.poller = self

    def init(self, *, mode, period, callback):
        """Call `callback` with the timer in `period` ms."""
        self._due_us = time.ticks_add(time.ticks_us(), period * 1000)
        self._callback = callback

    def ipoll(self, timeout_ms):
        """Return an iterator over the ready objects, as soon as there are any or the time is over."""
        poller = self._poller
        start_us = time.ticks_us()
        while True:
            wait_us = self._call()
            for _ in poller.ipoll(0):
                return poller.ipoll(0)
            if timeout_ms >= 0:
                left_us = timeout_ms * 1000 - time.ticks_diff(time.ticks_us(), start_us)
                if left_us <= 0:
                    return poller.ipoll(0)
                if not _TICK_US:
                    wait_us = min(wait_us, left_us)
            if _TICK_US:
                time.sleep_us(min(wait_us, _TICK_US - time.ticks_us() % _TICK_US))
            else:
                poller.ipoll((wait_us + 999) // 1000)

    def _call(self):
        """Call the callback if it is due; return the time until it is, or a long one."""
        callback = self._callback
        if callback and time.ticks_diff(self._due_us, time.ticks_us()) <= 0:
            self._callback = None
            callback(self)
        return max(0, time.ticks_diff(self._due_us, time.ticks_us())) if self._callback else 1 << 28


if _TICK_US:
    Timer(0)
