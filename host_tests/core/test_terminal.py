"""The terminal as the app and the bridge see it, from its start to its telemetry: core.terminal.

Runs on CPython and on MicroPython.
"""

from core.terminal_desk import IDENTITY, TOPIC, Desk, desk_in_call
from phoneterm.core import messages
from phoneterm.core.actions import Indicate, Show
from phoneterm.core.causes import NO_BRIDGE, NO_PBX, WRONG_KEY
from phoneterm.core.config import read_config
from phoneterm.core.keymap import STANDARD_ROLES, Keymap, Roles
from phoneterm.core.terminal import Identity, Terminal


def test_roles_of_a_board_that_cannot_be_are_our_own_mistake():
    try:
        Terminal(IDENTITY, Keymap(), Roles("A", "A", "C", "D"), read_config)
    except ValueError as error:
        assert "two roles" in str(error)
    else:
        raise AssertionError("no ValueError")


def test_it_starts_with_a_signal_and_is_silent_when_nothing_happens():
    terminal = Terminal(IDENTITY, Keymap(), STANDARD_ROLES, read_config)
    assert [repr(action) for action in terminal.on_time(1)] == [
        repr(Indicate("starting")),
        repr(Show("Starting", "")),
    ]
    assert terminal.on_time(2) == ()
    assert terminal.on_key(0, True) == ()
    assert terminal.on_key(0, False) == ()


def test_without_a_session_it_says_no_link_after_a_while():
    desk = Desk()
    desk.wait(14900)
    assert desk.heard() == ["starting"]
    desk.wait(200)
    assert desk.heard() == ["no-link"]


def test_a_link_is_greeted_with_state_and_hello():
    desk = Desk()
    actions = desk.terminal.on_link(True)
    assert [(action.topic, action.qos, action.retain, action.ref) for action in actions] == [
        (TOPIC + "up/state", 1, True, None),
        (TOPIC + "up/hello", 1, False, None),
    ]
    desk.note(actions)
    assert desk.sent(messages.STATE) == [{"v": 1, "boot": "9f3c21aa", "state": "online"}]
    assert desk.sent(messages.HELLO) == [
        {
            "v": 1, "boot": "9f3c21aa", "fw": "0.1.0", "board": "VIRTUAL", "wire": [1, 1],
            "caps": ["blind", "attended", "complete", "cancel", "swap", "refusals"], "crash": None, "safe": None,
        }
    ]  # fmt: skip


def test_the_will_says_offline_for_this_boot():
    topic, payload = Desk().terminal.will()
    assert topic == TOPIC + "up/state"
    assert payload == b'{"v":1,"boot":"9f3c21aa","state":"offline"}'


def test_hello_is_repeated_until_a_session_comes_and_never_without_a_link():
    desk = Desk()
    desk.wait(6000)
    assert desk.sent(messages.HELLO) == []
    desk.note(desk.terminal.on_link(True))
    desk.wait(5000)
    assert len(desk.sent(messages.HELLO)) == 2
    desk.session()
    desk.wait(11000)
    assert len(desk.sent(messages.HELLO)) == 2


def test_a_session_that_is_a_day_old_is_renewed():
    desk = desk_in_call()
    desk.note(desk.terminal.on_time(86400000))
    assert len(desk.sent(messages.HELLO)) == 1
    desk.session("beef")
    desk.key("#1102")
    (command,) = desk.sent(messages.COMMAND)
    assert command["id"] == "beef.1"
    assert command["since_ms"] == 250


def test_hello_waits_for_an_open_sequence():
    desk = desk_in_call()
    desk.note(desk.terminal.on_time(86400000 - 2000))
    desk.key("#1")
    desk.wait(2000)
    assert desk.sent(messages.HELLO) == []
    desk.wait(2000)
    assert len(desk.sent(messages.HELLO)) == 1


def test_a_session_of_another_boot_is_not_ours():
    desk = Desk()
    desk.note(desk.terminal.on_link(True))
    desk.down(messages.SESSION, boot="00000000", session="7d20", ttl_ms=8000)
    assert desk.terminal.counters()["dropped"] == 1
    desk.wait(2000)
    assert "ready" not in desk.heard()


def test_hello_says_how_the_run_before_crashed():
    identity = Identity("desk-1", "phoneterm", IDENTITY.key, "9f3c21aa", "0.1.0", "VIRTUAL", "watchdog link")
    terminal = Terminal(identity, Keymap(), STANDARD_ROLES, read_config)
    hello = terminal.on_link(True)[1]
    fields = messages.decode(messages.HELLO, hello.topic, IDENTITY.key, hello.payload)
    assert (fields["crash"], fields["safe"]) == ("watchdog link", None)


def test_a_stuck_key_is_told_until_it_works_again():
    desk = desk_in_call()
    desk.note(desk.terminal.on_keypad_fault(5, True))
    desk.note(desk.terminal.on_keypad_fault(6, True))
    assert desk.terminal.counters()["stuck"] == 2
    desk.note(desk.terminal.on_keypad_fault(5, False))
    assert desk.heard() == ["keypad-fault"]
    desk.note(desk.terminal.on_keypad_fault(6, False))
    assert desk.heard() == ["ready"]


def test_a_keypad_fault_does_not_hide_a_consultation_nor_a_lost_link():
    desk = desk_in_call()
    desk.note(desk.terminal.on_keypad_fault(5, True))
    desk.down(messages.CALL, state="consulting", call="c1")
    desk.note(desk.terminal.on_link(False))
    assert desk.heard() == ["keypad-fault", "consulting", "no-link"]


def test_telemetry_has_the_counters_and_the_fields_of_the_device():
    desk = desk_in_call()
    desk.key("#1")
    desk.note(desk.terminal.on_stall())
    desk.note(desk.terminal.on_time(61))
    desk.note(desk.terminal.on_link(False))
    desk.note(desk.terminal.on_link(True))
    publish = desk.terminal.telemetry({"heap_free": 1234, "rssi": -60})
    assert (publish.qos, publish.retain, publish.ref) == (0, False, None)
    fields = messages.decode(messages.TELEMETRY, publish.topic, None, publish.payload)
    assert (fields["heap_free"], fields["rssi"], fields["uptime_s"]) == (1234, -60, 1)
    assert (fields["keys"], fields["tainted"], fields["reconnects"]) == (2, 1, 1)


LINES = ("No broker", "does not answer")


def test_why_there_is_no_link_is_shown_until_there_is_one_and_when_a_key_is_pressed():
    desk = desk_in_call()
    assert desk.terminal.on_cause(LINES) == (Show("Ready", ""),)
    desk.note(desk.terminal.on_link(False))
    assert Show(*LINES) in desk.actions
    desk.heard()
    desk.key("#1")
    assert Show(*LINES) in desk.actions
    assert Show("No link", "") not in desk.actions
    assert desk.heard()[-1] == "no-link"
    desk.note(desk.terminal.on_link(True))
    desk.session()
    desk.wait(5010)  # until the answer to the key has been read
    assert Show("Ready", "") in desk.actions


def test_a_key_without_a_link_says_so_while_nobody_knows_why():
    desk = desk_in_call()
    desk.note(desk.terminal.on_link(False))
    desk.heard()
    desk.key("#1")
    assert Show("No link", "") in desk.actions


def test_a_message_is_not_wiped_off_the_display_by_the_cause():
    desk = desk_in_call()
    desk.note(desk.terminal.on_link(False))
    desk.request("r1", "identify")
    assert desk.terminal.on_cause(LINES) == ()


def test_it_knows_what_keeps_a_link_from_a_transfer():
    desk = Desk()
    assert desk.terminal.find_cause() is None
    desk.note(desk.terminal.on_link(True))
    assert desk.terminal.find_cause() is None
    desk.wait(5010)  # the second hello
    assert desk.terminal.find_cause() == NO_BRIDGE
    desk.down(messages.BRIDGE_STATE, state="online")
    assert desk.terminal.find_cause() == WRONG_KEY
    desk.session()
    assert desk.terminal.find_cause() == 0
    desk.down(messages.BRIDGE_STATE, state="degraded")
    assert desk.terminal.find_cause() == NO_PBX
    desk.down(messages.BRIDGE_STATE, state="offline")
    assert desk.terminal.find_cause() == NO_BRIDGE
    desk.note(desk.terminal.on_link(False))
    assert desk.terminal.find_cause() is None


def test_a_bridge_that_comes_back_is_greeted():
    desk = desk_in_call()
    desk.down(messages.BRIDGE_STATE, state="online")
    assert desk.sent(messages.HELLO) == []
    desk.down(messages.BRIDGE_STATE, state="offline")
    desk.down(messages.BRIDGE_STATE, state="online")
    assert len(desk.sent(messages.HELLO)) == 1
    assert desk.heard() == ["no-link"]
    desk.session("beef")
    assert desk.heard() == ["ready"]
