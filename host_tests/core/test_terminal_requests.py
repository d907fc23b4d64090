"""What an administrator asks of a terminal. Runs on CPython and on MicroPython."""

from core.terminal_desk import desk_in_call
from phoneterm.core import messages
from phoneterm.core.actions import Indicate, Log, Restart, Show


def test_identify_is_played_once_for_each_request():
    desk = desk_in_call()
    desk.request("r1", "identify")
    desk.request("r1", "identify")
    assert [repr(action) for action in desk.actions] == [repr(Indicate("identify")), repr(Show("This is", "desk-1"))]
    desk.wait(2000)
    desk.actions = []
    desk.request("r2", "identify")
    assert desk.heard() == ["identify"]


def test_a_reboot_says_offline_first():
    desk = desk_in_call()
    actions = desk.request("r1", "reboot")
    assert desk.sent(messages.STATE)[0]["state"] == "offline"
    assert isinstance(actions[1], Restart)


def test_a_wipe_restarts_the_device_for_that_reason():
    desk = desk_in_call()
    actions = desk.request("r1", "wipe")
    assert desk.sent(messages.STATE)[0]["state"] == "offline"
    assert [action.reason for action in actions if isinstance(action, Restart)] == ["wipe"]


def test_a_request_for_another_start_of_this_terminal_is_dropped_so_that_none_can_be_played_again():
    desk = desk_in_call()
    for op in ("identify", "reboot", "wipe"):
        assert list(desk.request("r1", op, "9f3c21ab")) == []
    assert desk.terminal.counters()["dropped"] == 3
    assert desk.sent(messages.STATE) == []


def test_an_update_is_logged_as_not_supported():
    desk = desk_in_call()
    (action,) = desk.request("r1", "update")
    assert isinstance(action, Log)
    assert "not supported" in action.detail
