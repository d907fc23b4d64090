"""The displays' drivers run on the real MicroPython, with its own letters, against simulated controllers."""

import subprocess
from pathlib import Path

import pytest
from board_check.board_file import BOARDS, DISPLAYS
from virtual_phone import vm
from vm_program import run_program

_HERE = Path(__file__).parent
_PROGRAMS = _HERE / "vm_modules"
_TOOLS = _HERE.parents[1] / "tools"
_SCRIPT = _PROGRAMS / "displays.py"


def test_the_drivers_show_what_they_are_told_and_send_no_more_than_needed():
    lines = run_program(_SCRIPT, DISPLAYS, _TOOLS / "labs" / "virtual_phone", path=(), heap_kib=512)
    expected = [line[4:].partition("(")[0] for line in _SCRIPT.read_text().splitlines() if line.startswith("def test_")]
    assert lines == [f"ok {name}" for name in sorted(expected)]


@pytest.mark.parametrize("driver", sorted(path.stem for path in DISPLAYS.glob("*.py")))
def test_the_figures_of_a_display_that_does_not_answer_come_from_a_bus_that_is_played(driver):
    """They also show, as the smoke test of a board does, that showing two lines leaves no garbage."""
    figures = _measure(_PROGRAMS / "dead_display", DISPLAYS, TEST_DRIVER=driver)
    assert figures.keys() == {"display_answers", "display_step_ms", "display_steps", "display_garbage_bytes"}
    assert (figures["display_answers"], figures["display_garbage_bytes"]) == ("0", "0")


def test_the_figures_of_a_display_that_answers_are_its_own():
    figures = _measure(BOARDS / "VIRTUAL", vm.FAKE_MODULES)
    assert (figures["display_answers"], figures["display_garbage_bytes"]) == ("1", "0")


def _measure(*path, **variables):
    """Return the smoke test's figures for the display of the board in a folder."""
    script = _TOOLS / "device_cable" / "vm" / "smoke_display.py"
    argv, environment = vm.command(script, 512, path)
    done = subprocess.run(argv, capture_output=True, text=True, env=environment | variables, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(line.split() for line in done.stdout.splitlines())
