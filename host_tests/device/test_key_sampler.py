"""The key sampler on the real MicroPython VM: what it keeps, in which order, at which times, and when it looks."""

from pathlib import Path

from vm_program import run_program

_PROGRAM = Path(__file__).parent / "vm_modules" / "key_sampler_stories.py"


def tell(story):
    """Run a story to its end and return its output lines."""
    return run_program(_PROGRAM, story)


def test_a_key_is_kept_with_its_time_until_it_is_taken():
    lines = tell("press_and_release")
    down, up, since_ms, held_ms, news, rest = lines[0].split(" ", 5)
    assert (down, up, news, rest) == ("0x10", "0x0", "2", "[]")
    assert 0 <= int(since_ms) <= 2
    assert 20 <= int(held_ms) <= 30


def test_the_next_look_is_planned_when_one_has_ended_as_far_off_as_the_scanner_wants():
    lines = tell("periods")
    assert lines == ["2 12", "1"]


def test_a_stall_is_kept_in_front_of_what_the_look_after_it_saw():
    lines = tell("stall_before_a_key")
    assert lines == ["['0x80', '0x10']"]


def test_what_nobody_took_in_time_is_told_as_a_stall():
    lines = tell("forty_taps")
    assert lines == ["65 ['0x0', '0x80'] []"]


def test_a_look_that_fails_is_the_last_one_until_the_next_start():
    lines = tell("look_that_fails")
    assert lines == ["OSError('no pins',) None 1", "None 4"]


def test_a_look_that_fails_leaves_a_hole_and_says_so():
    lines = tell("hole_after_a_look_that_fails")
    assert lines == ["['0x80', '0x10']"]


def test_ctrl_c_during_a_look_is_kept_for_whoever_takes_the_changes():
    lines = tell("ctrl_c_during_a_look")
    assert lines == ["KeyboardInterrupt()"]


def test_what_had_no_room_is_told_before_what_came_after_it():
    lines = tell("tap_after_too_many")
    assert lines == ["[16, 0] ['0x80', '0x10', '0x0']"]
