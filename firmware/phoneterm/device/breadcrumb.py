"""Remembers in the chip's RTC memory, over a reset, how the last run ended and how many runs in a row crashed.

Does not write to flash, and is no log: it keeps only the latest line. The record survives machine.reset(), the
watchdog, a panic of the interpreter and Ctrl-D, but not a power cut or the reset button (EN).
A crash is a reset by the watchdog or by a panic while the firmware runs, or `leave` with a reason; after `settle` the
next one is the first in a row again. The memory holds three texts with tabs between them: the number of crashes in a
row, RUNNING or nothing, and the fault. Anything else was left by a power cut and is ignored.
Source: MicroPython's ports/esp32, machine_rtc.c (the memory is not cleared at a reset) and modmachine.c (causes).
"""

_RUNNING = "running"


class Breadcrumb:
    """The record of one chip. `crash`: how the last run crashed, "" if it did not; `crashes`: how many did in a row."""

    def __init__(self, machine):
        """Take the module `machine` and read what the last run left."""
        self._machine = machine
        self.crash = ""
        self.crashes = 0
        cause = machine.reset_cause()
        try:
            crashes, end, what = machine.RTC().memory().decode().split("\t")
            crashes = int(crashes)
        except ValueError:
            return
        if end == _RUNNING:
            what = ("watchdog " if cause == machine.WDT_RESET else "panic ") + what
        if what and cause in (machine.WDT_RESET, machine.HARD_RESET):
            self.crash = what.strip()
            self.crashes = crashes + 1

    def mark_running(self, trouble=""):
        """Record that the firmware runs, and what stands still in it."""
        self._write(_RUNNING, trouble)

    def settle(self):
        """Record that the firmware has run so long that a crash would be the first in a row."""
        self.crashes = 0
        self.mark_running()

    def stop(self, crash=""):
        """Record that the firmware no longer runs: it crashed, or was ended on purpose."""
        self._write("", crash)

    def leave(self, crash=""):
        """Reset the chip, because of a crash or on purpose."""
        self.stop(crash)
        self._machine.reset()

    def _write(self, end, what):
        self._machine.RTC().memory("%d\t%s\t%s" % (self.crashes, end, what[:100]))
