"""The drawing task on the real MicroPython VM, with a display that records its calls and their times."""

from pathlib import Path

from vm_program import run_program

_PROGRAM = Path(__file__).parent / "vm_modules" / "screen_stories.py"


def tell(story):
    """Run a story to its end and return its output lines."""
    return run_program(_PROGRAM, story)


def test_the_keypad_is_looked_at_between_any_two_steps():
    lines = tell("one_screen")
    assert lines == ["5 5"]


def test_showing_draws_nothing_by_itself():
    lines = tell("nothing_drawn_yet")
    assert lines == ["0"]


def test_the_task_sleeps_when_nothing_is_left_to_draw_and_wakes_for_new_lines():
    lines = tell("two_screens")
    assert lines == ["0", "6"]
