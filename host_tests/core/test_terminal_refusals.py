"""What the phone refuses by itself reaches the bridge: once, with its reason and age, at the latest after a reconnect.

Runs on CPython and on MicroPython.
"""

from core.terminal_desk import Desk, desk_in_call, permit
from phoneterm.core import messages


def reports(desk):
    """Return (number, reason, operation, age in seconds) of every refusal reported so far."""
    found = desk.sent(messages.REFUSAL)
    assert all(report["boot"] == "9f3c21aa" for report in found)
    return [(report["count"], report["reason"], report["op"], report["ago_s"]) for report in found]


def test_a_code_that_is_not_allowed_is_reported_a_second_later():
    desk = desk_in_call()
    desk.down(messages.PERMISSIONS, rev=2, multi_user_aware=True, blind=False, attended=True, classes=["internal"])
    desk.key("#1")
    assert reports(desk) == []
    desk.wait(1100)
    assert reports(desk) == [(1, "permission", "blind", 1)]
    assert desk.sent(messages.COMMAND) == []


def test_every_way_to_key_something_wrong_is_reported_with_its_own_reason():
    for keys, wait_ms, reason, op in (
        ("#1104#", 0, None, None),  # a number that is right is a command, not a refusal
        ("#19", 0, "no-such-number", "blind"),
        ("*210", 6000, "digits-missing", "attended"),
        ("#5", 0, "no-such-code", None),
        ("#", 6000, "code-time", None),
        ("#1*", 0, "wrong-key", "blind"),
    ):
        desk = desk_in_call()
        desk.key(keys)
        desk.wait(wait_ms + 1100)
        said = [one[1:3] for one in reports(desk)]
        assert said == ([(reason, op)] if reason else []), keys


def test_a_sequence_that_the_user_cancels_is_no_refusal():
    desk = desk_in_call()
    desk.key("#1C#1B#1")
    desk.note(desk.terminal.on_hook(False))
    desk.wait(3000)
    assert reports(desk) == []


def test_what_was_refused_without_a_link_is_told_once_there_is_a_session_with_its_age():
    desk = desk_in_call()
    desk.note(desk.terminal.on_link(False))
    desk.key("#1")
    desk.wait(70_000)
    assert reports(desk) == []
    desk.note(desk.terminal.on_link(True))
    desk.wait(2000)
    assert reports(desk) == []
    desk.session("beef")
    desk.wait(1100)
    assert reports(desk) == [(1, "no-link", "blind", 73)]


def test_of_several_refusals_the_last_is_told_and_the_number_of_all():
    desk = Desk()
    desk.wait(20_000)
    for keys in ("#1", "*2", "#7"):
        desk.key(keys)
        desk.wait(2000)
    desk.note(desk.terminal.on_link(True))
    desk.session()
    desk.wait(1100)
    assert [one[:3] for one in reports(desk)] == [(3, "no-such-code", None)]


def test_a_new_session_has_it_repeated_because_the_old_one_may_have_been_lost_with_it():
    desk = desk_in_call()
    desk.key("#9")
    desk.wait(5000)
    desk.session("beef")
    desk.wait(5000)
    assert [one[0] for one in reports(desk)] == [1, 1]


def test_a_command_that_nobody_answers_is_reported_with_its_operation():
    desk = desk_in_call()
    desk.key("*2104")
    desk.wait(5000)
    assert [one[:3] for one in reports(desk)] == [(1, "no-confirmation", "attended")]


def test_what_the_bridge_refuses_is_not_reported_to_it():
    desk = desk_in_call()
    desk.key("#1104")
    desk.wait(50)
    desk.down(messages.RESULT, id=desk.sent(messages.COMMAND)[0]["id"], state="rejected", reason="unknown-number")
    desk.down(messages.CALL, state="idle", call=None, reason="caller-gone")
    desk.wait(5000)
    assert reports(desk) == []


def test_a_key_of_a_consultation_that_is_refused_is_reported_as_what_it_asked_for():
    desk = desk_in_call()
    desk.down(messages.CALL, state="consulting", call="c1")
    desk.down(messages.BRIDGE_STATE, state="degraded")
    permit(desk, rev=3)
    desk.key("D")
    desk.wait(1100)
    assert [one[1:3] for one in reports(desk)] == [("no-link", "swap")]
