"""The breadcrumb: what it remembers for each way in which the last run can have ended."""

import pytest
from phoneterm.device.breadcrumb import Breadcrumb

PWRON, HARD, WDT, SOFT = 1, 2, 3, 5


class Machine:
    """A chip whose memory survives its resets; `start` starts it with a cause."""

    PWRON_RESET, HARD_RESET, WDT_RESET, SOFT_RESET = PWRON, HARD, WDT, SOFT

    def __init__(self):
        self.kept = b""
        self.cause = PWRON
        self.resets = 0

    def RTC(self):  # noqa: N802 - the chip's own name
        return self

    def memory(self, data=None):
        if data is None:
            return self.kept
        self.kept = data.encode()
        return None

    def reset_cause(self):
        return self.cause

    def reset(self):
        self.resets += 1

    def start(self, cause):
        self.cause = cause
        return Breadcrumb(self)


@pytest.mark.parametrize(
    ("cause", "crash"), [(WDT, "watchdog link"), (HARD, "panic link"), (PWRON, ""), (SOFT, ""), (4, "")]
)
def test_a_run_that_was_cut_off_is_a_crash_if_the_chip_says_so(cause, crash):
    machine = Machine()
    machine.start(PWRON).mark_running("link")
    again = machine.start(cause)
    assert (again.crash, again.crashes) == (crash, 1 if crash else 0)


def test_a_crash_that_was_seen_is_kept_and_one_on_purpose_is_none():
    machine = Machine()
    machine.start(PWRON).leave("scan: OSError at app:1 in poll")
    assert machine.resets == 1
    again = machine.start(HARD)
    assert (again.crash, again.crashes) == ("scan: OSError at app:1 in poll", 1)
    again.leave()
    assert (machine.start(HARD).crash, machine.start(HARD).crashes) == ("", 0)


def test_a_watchdog_that_bites_after_the_firmware_was_stopped_is_no_crash():
    machine = Machine()
    running = machine.start(PWRON)
    running.mark_running()
    running.stop()
    assert machine.start(WDT).crash == ""


def test_crashes_in_a_row_are_counted_until_a_run_settles():
    machine = Machine()
    crumb = machine.start(PWRON)
    for count in (1, 2, 3):
        crumb.mark_running()
        crumb = machine.start(WDT)
        assert crumb.crashes == count
    crumb.mark_running()
    crumb.settle()
    assert machine.start(WDT).crashes == 1


@pytest.mark.parametrize("rest", [b"", b"\xff\xfe\x00\x81", b"someone else's", b"x\trunning\t", b"1\t2\t3\t4", b"\t\t"])
def test_what_somebody_else_left_counts_as_nothing(rest):
    machine = Machine()
    machine.kept = rest
    crumb = machine.start(WDT)
    assert (crumb.crash, crumb.crashes) == ("", 0)


def test_what_is_kept_is_short():
    machine = Machine()
    machine.start(PWRON).leave("x" * 500)
    assert machine.start(HARD).crash == "x" * 100
