"""The ESP32's `machine.Timer`, and a wait of asyncio that a timer's interrupt ends, as on that port.

Does not interrupt code that runs: a callback is called when asyncio waits next, where a chip would call it sooner.
With PHONETERM_TICK_MS every other wait lasts to the end of a tick of that many ms, whatever the sockets have in the
meantime, as a chip waits for FreeRTOS's tick of 10 ms. Nothing here allocates once a timer has been made.
Source: MicroPython's ports/esp32, machine_timer.c and mpconfigport.h (MICROPY_EVENT_POLL_HOOK); extmod/modselect.c.
"""

import os
import time
from asyncio import core

_TICK_US = int(os.getenv("PHONETERM_TICK_MS") or 0) * 1000
_LONG_US = 1 << 28


class Waiter:
    """Stands before asyncio's poller, and calls the timers that are due."""

    def __init__(self, poller):
        self._poller = poller
        self.register, self.modify, self.unregister = poller.register, poller.modify, poller.unregister
        self.timers = [None] * 4

    def ipoll(self, timeout_ms):
        """Return an iterator over what is ready, once something is or the time is over."""
        poller = self._poller
        start_us = time.ticks_us()
        while True:
            wait_us = self._call_timers()
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

    def _call_timers(self):
        """Call what is due; return the time to the next, or a long one."""
        next_us = _LONG_US
        for timer in self.timers:
            if timer and timer.due_us is not None:
                if time.ticks_diff(timer.due_us, time.ticks_us()) <= 0:
                    timer.call()
                if timer.due_us is not None:
                    next_us = min(next_us, max(0, time.ticks_diff(timer.due_us, time.ticks_us())))
        return next_us


_waiter = core._io_queue.poller = Waiter(core._io_queue.poller)


class Timer:
    """One of the chip's four timers."""

    ONE_SHOT = 0
    PERIODIC = 1

    def __init__(self, id):  # noqa: A002 - the chip's own name
        if not 0 <= id < 4:
            raise ValueError("invalid Timer number")
        self.due_us = None
        self._id = id

    def init(self, *, mode=PERIODIC, period=-1, callback=None):
        """Call `callback` with the timer in `period` ms, once or again and again."""
        self._period_us = period * 1000
        self._is_periodic = mode
        self._callback = callback
        self.due_us = time.ticks_add(time.ticks_us(), self._period_us)
        _waiter.timers[self._id] = self

    def deinit(self):
        """Stop."""
        self.due_us = None

    def call(self):
        """Call back now, because it is time."""
        self.due_us = time.ticks_add(self.due_us, self._period_us) if self._is_periodic else None
        self._callback(self)
