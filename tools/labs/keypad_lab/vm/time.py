"""The clock of the VM, on which waiting takes no time: only the work is measured."""

from utime import ticks_diff, ticks_ms, ticks_us  # noqa: F401 others import them from here


def sleep_us(duration_us):
    """Wait for nothing."""


sleep = sleep_us
sleep_ms = sleep_us
