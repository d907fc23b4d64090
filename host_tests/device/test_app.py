"""The application on the real MicroPython VM, with a terminal, a client and a keypad that the story controls."""

from pathlib import Path

from virtual_phone import vm
from vm_program import FIRMWARE, run_program

_PROGRAMS = Path(__file__).parent / "vm_modules"
_PATH = (_PROGRAMS / "two_regions", vm.FAKE_MODULES, FIRMWARE)


def tell(story):
    """Run a story to its end and return its output lines."""
    return run_program(_PROGRAMS / "app_stories.py", story, path=_PATH)


def test_keys_faults_and_messages_reach_the_terminal_in_order():
    lines = tell("keys_faults_and_messages")
    assert lines == ["('key', 3, True)", "('key', 3, False)", "('fault', 5, True)", "('fault', 5, False)",
                     "('message', 't', b'p')", "('link', True)"]  # fmt: skip


def test_a_stall_is_told_before_the_time_that_it_took_so_that_no_timer_dials_what_has_a_hole():
    lines = tell("stall_and_time")
    assert lines == ["[('stall',), ('time',)]"]


def test_actions_are_done_in_order_and_an_outcome_is_told_exactly_once():
    lines = tell("every_action_in_order")
    assert lines == ["event detail", "[('a', b'1'), ('b', b'2')] ['starting', 'key'] [('one', 'two')] "
                     "[('published', 'ref', False)]"]  # fmt: skip


def test_a_publish_that_fails_inside_is_told_as_not_acknowledged():
    lines = tell("publish_that_fails_inside")
    assert lines[-1] == "[('published', 'ref', False)]"
    assert lines[0].startswith("task-failed ValueError at app_bench.py:")
    assert "0123" not in "".join(lines)


def test_more_publishes_than_can_be_under_way_are_refused_at_once():
    lines = tell("ten_publishes_at_once")
    assert lines == [
        "publish-refused too many at once",
        "publish-refused too many at once",
        "[(8, False), (9, False)] 8",
    ]


def test_a_mistake_in_the_terminal_is_logged_without_its_text_and_costs_nothing_else():
    lines = tell("mistake_in_the_terminal")
    assert lines[0].startswith("terminal-failed ValueError at app_bench.py:")
    assert lines[1] == "[('link', True), ('link', False)]"


def test_a_task_that_dies_is_started_again_and_a_device_whose_tasks_keep_dying_restarts():
    lines = tell("tasks_that_die")
    assert lines[0].startswith("task-died scan: OSError at ")
    assert lines[1] == "[('stall',), ('key', 1, True)] 0"
    assert [line.partition(":")[0] for line in lines[2:7]] == ["task-died scan"] * 5
    assert lines[7:] == ["restart tasks keep dying", "1"]


def test_what_goes_wrong_while_a_key_is_taken_ends_the_number_as_a_stall_does():
    lines = tell("error_while_a_key_is_taken")
    assert [line for line in lines if "task-died" not in line] == ["[('key', 3, True), ('stall',)]"]


def test_a_restart_waits_for_what_is_being_published():
    lines = tell("restart_after_a_publish")
    assert lines == ["restart requested", "[('published', 'last', True)]"]


def test_garbage_is_not_collected_while_a_sequence_is_open():
    lines = tell("garbage_during_a_sequence")
    assert lines == ["0", "1"]


def test_a_link_for_which_there_is_too_little_memory_is_given_up_and_told():
    lines = tell("too_little_memory_for_the_link")
    assert lines == ["dropped: short of memory", "memory-short 2368 bytes are left to Wi-Fi and TLS",
                     "[] 1"]  # fmt: skip


def test_memory_that_is_short_for_a_moment_costs_nothing():
    lines = tell("too_little_memory_for_a_moment")
    assert lines == ["[]"]


def test_the_watchdog_hungers_when_the_link_stands_still_and_a_lost_network_drops_the_link():
    lines = tell("link_that_stands_still")
    assert lines == ["1", "dropped: the network is gone"]


def test_the_watchdog_hungers_when_the_keypad_is_not_looked_at_any_more_and_what_stands_still_is_noted():
    lines = tell("keypad_that_is_not_looked_at")
    assert lines == ["True scan"]


def test_the_watchdog_hungers_when_the_collector_gets_no_time():
    lines = tell("collector_without_time")
    assert [line.partition(":")[0] for line in lines[:-1]] == ["task-died scan"] * (len(lines) - 1)
    assert lines[-1] == "1 scan"


def test_the_watchdog_hungers_when_the_tick_stands_still():
    lines = tell("tick_that_stands_still")
    assert lines == ["0"]


def test_what_stood_still_and_moves_again_is_taken_back():
    lines = tell("link_that_moves_again")
    assert lines == ["['link', '']"]


def test_a_device_whose_tasks_keep_dying_remembers_which_and_where():
    lines = tell("tasks_that_keep_dying")
    assert lines[-1].startswith("('left', 'scan: OSError at ")


def test_a_run_of_a_minute_has_settled():
    lines = tell("run_of_a_minute")
    assert lines == ["['link', 'settled']"]


def test_telemetry_tells_the_memory_without_the_garbage():
    lines = tell("memory_without_the_garbage")
    assert lines == ["True"]


def test_telemetry_waits_until_no_sequence_is_open():
    lines = tell("telemetry_during_a_sequence")
    assert lines == ["[]", "1"]


def test_telemetry_measures_the_device():
    lines = tell("measured_device")
    expected = [
        ("dropped", 1), ("gap_max_ms", 2), ("gap_p50_ms", 2), ("gap_p99_ms", 2), ("idf_free", 45036),
        ("idf_largest", 20000), ("idf_least", 24000), ("memory_restarts", 0), ("restarts", 0), ("rssi", -50),
    ]  # fmt: skip
    assert lines == [f"True {expected}"]


def test_a_cause_is_told_when_it_lasts_a_second_and_each_minute_and_its_end_at_once():
    lines = tell("cause_that_lasts")
    assert lines == [
        "trouble no-pbx (33): The bridge has lost its PBX: phoneterm doctor.",
        "[('cause', ('No PBX', 'bridge is there'))] 12 None",
        "trouble no-pbx (33): The bridge has lost its PBX: phoneterm doctor.",
        "[('cause', ('No PBX', 'bridge is there'))] None",
        "ready for keys",
        "[('cause', None)] ()",
    ]


def test_whoever_types_something_at_the_console_is_told_the_state_as_soon_as_it_is_known():
    lines = tell("questions_at_the_console")
    assert lines[0] == "b'?'"
    trouble = "trouble no-pbx (33): The bridge has lost its PBX: phoneterm doctor."
    assert lines[1:] == [trouble, trouble, "ready for keys", "ready for keys", "ready for keys"]


def test_what_comes_first_on_the_way_to_the_bridge_is_told():
    lines = tell("two_causes")
    assert [line.split(":")[0] for line in lines] == ["trouble no-wifi (11)", "trouble no-broker (22)"]


def test_a_cause_that_is_over_at_once_is_not_told():
    assert tell("cause_for_a_moment") == ["[]"]


def test_a_cause_for_which_there_is_no_memory_is_a_number_and_told_again_later():
    lines = tell("cause_without_memory")
    assert [line.split(":")[0] for line in lines] == ["trouble 33", "[('cause', None)]", "trouble no-pbx (33)"]


def test_the_table_of_causes_does_not_stay_in_memory():
    assert tell("unloaded_causes")[-1] == "[]"
