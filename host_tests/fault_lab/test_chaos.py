"""Fifty runs of the chaos on real installations, and its command line."""

import os
import signal

import pytest
from fault_lab.bridge_process import Nursery
from fault_lab.cell import Cell
from fault_lab.chaos import run_all
from fault_lab.cli import app, print_tally
from fault_lab.plan import EMBEDDED, MOSQUITTO, STEPS, Outage, Plan, make_plan
from fault_lab.trial import play
from firmware_build.image import make_image
from typer.testing import CliRunner
from virtual_phone.build import FIRMWARE

FIRST_SEED = 500
MOST_TRIES = 3


def describe(report):
    """Return all that is known of a run, in lines."""
    head = f"seed {report.plan.seed}: {report.why}; {report.plan.describe()}; {report.phases}"
    return "\n    ".join((head, *report.details))


@pytest.mark.parametrize(("broker", "runs"), [(MOSQUITTO, 30), (EMBEDDED, 20)])
async def test_every_run_ends_once_in_time_and_aloud(broker, runs, need_part, capsys):
    part = need_part("mosquitto") if broker == MOSQUITTO else None
    plans = [make_plan(FIRST_SEED + index, (broker,)) for index in range(runs)]
    reports = [report async for report in run_all(plans, part, 6)]
    broken = [describe(one) for one in reports if one.end == "broken"]
    assert not broken, "\n".join(broken)
    assert sorted(report.plan.seed for report in reports) == [plan.seed for plan in plans]
    print_tally(reports, 1.0)
    assert f"{runs:6}  runs" in capsys.readouterr().out


KILLED = [
    Plan(index, broker, op, (), (Outage("bridge", step, 0.0, 0.1),), False, 0.07, 0.05)
    for index, (step, op, broker) in enumerate(
        [(step, op, MOSQUITTO) for step in STEPS for op in ("blind", "attended")]
        + [(step, ("blind", "attended")[at % 2], EMBEDDED) for at, step in enumerate(STEPS)]
    )
]


async def test_a_bridge_that_is_killed_at_any_step_of_a_command_neither_repeats_nor_forgets_it(need_part):
    """Not at random, as above: `kill -9` and a restart at each step in turn.

    On a busy computer a phone may ask to key again, and then that step is not reached: it is played again.
    """
    left = KILLED
    for _ in range(MOST_TRIES):
        reports = [report async for report in run_all(left, need_part("mosquitto"), 6)]
        broken = [describe(one) for one in reports if one.end == "broken"]
        assert not broken, "\n".join(broken)
        left = [report.plan for report in reports if not report.outages]
        if not left:
            return
    raise AssertionError([plan.describe() for plan in left])


class BusyComputer:
    """Keeps a process from running while the first command is keyed; tells these sums of waits, as a kernel would."""

    def __init__(self, waits_ms):
        self._waits_ms = iter(waits_ms)
        self._signals = iter((signal.SIGSTOP, signal.SIGCONT))

    def kept_waiting_ms(self, pid):
        """Return the next sum; the first two are asked for just before and just after the first command is keyed."""
        if sent := next(self._signals, None):
            os.kill(pid, sent)
        return next(self._waits_ms)


@pytest.mark.parametrize(("waits_ms", "is_broken", "tries"), [((0, 30, 30, 30), False, 2), ((0, 3), True, 1)])
async def test_a_command_that_the_phone_never_heard_is_played_again_by_the_kernels_word_alone(
    waits_ms, is_broken, tries, tmp_path
):
    make_image(FIRMWARE, tmp_path / "image")
    nursery = Nursery()
    await nursery.start()
    cell = Cell(None, nursery, tmp_path / "image", tmp_path)
    try:
        await cell.start()
        plan = Plan(0, EMBEDDED, "blind", (), (), False, 0.07, 0.05)
        report = await play(cell, plan, BusyComputer(waits_ms).kept_waiting_ms)
    finally:
        await cell.stop()
        await nursery.stop()
    assert (report.end == "broken", report.tries) == (is_broken, tries), (report.why, report.details)


def test_the_command_line_plays_one_seed_and_prints_its_plan_and_the_tally():
    result = CliRunner().invoke(app, ["--only", "503", "--broker", "embedded"])
    assert result.exit_code == 0, result.output
    assert make_plan(503, (EMBEDDED,)).describe() in result.output
    assert "the transfer happened once and the terminal knows" in result.output


def test_a_broker_that_does_not_exist_is_one_sentence():
    result = CliRunner().invoke(app, ["--broker", "carrier-pigeon"])
    assert result.exit_code == 1
    assert result.output == "--broker can be both, mosquitto, embedded, not carrier-pigeon.\n"
