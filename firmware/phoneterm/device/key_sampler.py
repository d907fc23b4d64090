"""Samples the keypad in a timer's interrupt, whatever the tasks are doing, and keeps changes until they are taken.

Does not judge the samples; the scanner does. Without it a key would wait for the tasks: on the ESP32 asyncio sleeps
until FreeRTOS's next tick, and ticks come every 10 ms; a task that computes blocks all others. The timer's interrupt
wakes the main task, and MicroPython runs the callback between two byte codes of whatever runs (a soft interrupt). The
next look is scheduled when one has ended, so looks never take all of the processor. A C function that blocks, such as
a TLS handshake, blocks them too; the scanner reports that as a stall.
Source: MicroPython's ports/esp32, machine_timer.c (`mp_sched_schedule`, `mp_hal_wake_main_task_from_isr`).
A look allocates nothing.
"""

from array import array

from micropython import const

from phoneterm.core.debounce import STALLED

_PLACES = const(64)  # a power of two; twice what one look can change
_ONE_SHOT = const(0)


class KeySampler:
    """One keypad, sampled for ever after `start`.

    news: a flag that is set when there are changes to take. gaps: the gaps between looks. looks: how many there were,
    modulo 2**16. at_ms: see `next_change`. error: the exception that ended the looks, or None.
    """

    def __init__(self, scanner, timer, clock, news):
        """Take a core.scanner, a `machine.Timer`, the module `time`, and an `asyncio.ThreadSafeFlag`."""
        self.news = news
        self.gaps = scanner.gaps
        self.looks = 0
        self.at_ms = 0
        self.error = None
        self._scanner = scanner
        self._timer = timer
        self._clock = clock
        self._look = self._look_once  # made once, because making a bound method allocates
        self._last_us = 0
        self._changes = bytearray(_PLACES)
        self._times = array("i", bytes(4 * _PLACES))
        self._put = self._taken = 0
        self._is_full = False  # changes after the one at `_hole` had no room
        self._hole = 0

    def start(self):
        """Start looking."""
        self.error = None
        self._last_us = self._clock.ticks_us()
        self._timer.init(mode=_ONE_SHOT, period=1, callback=self._look)

    def next_change(self):
        """Return the next change (a byte as in debounce) or None; its time (ticks_ms) is then in `at_ms`."""
        if self._is_full and self._taken == self._hole:
            self._is_full = False
            self.at_ms = self._clock.ticks_ms()
            return STALLED
        if self._taken != self._put:
            place = self._taken & _PLACES - 1
            self._taken += 1
            self.at_ms = self._times[place]
            return self._changes[place]
        return None

    def _look_once(self, timer):
        """Look once, and schedule the next look."""
        scanner = self._scanner
        clock = self._clock
        try:
            now_us = clock.ticks_us()
            count = scanner.poll(clock.ticks_diff(now_us, self._last_us))
            self._last_us = now_us
            if scanner.has_stalled:
                self._keep(STALLED)
            for index in range(count):
                self._keep(scanner.changes[index])
        except BaseException as error:  # Ctrl-C may arrive here too; the task that takes the changes raises it
            self.error = error
            self._keep(STALLED)  # the next look is that of the next start
            return
        self.looks = self.looks + 1 & 0xFFFF
        timer.init(mode=_ONE_SHOT, period=scanner.wait_ms, callback=self._look)

    def _keep(self, change):
        if self._put - self._taken == _PLACES:
            if not self._is_full:
                self._is_full = True  # changes that nobody takes count as not seen
                self._hole = self._put
            return
        place = self._put & _PLACES - 1
        self._changes[place] = change
        self._times[place] = self._clock.ticks_ms()
        self._put += 1
        self.news.set()
