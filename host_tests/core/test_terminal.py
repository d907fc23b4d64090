"""The terminal as the app and the bridge see it: core.terminal. Runs on CPython and on MicroPython."""

from phoneterm.core import messages, operations
from phoneterm.core.actions import Indicate, Log, Publish, Restart, Show
from phoneterm.core.config import read_config
from phoneterm.core.keymap import STANDARD_LEGENDS, STANDARD_ROLES, Keymap, Roles
from phoneterm.core.terminal import Identity, Terminal

_IDENTITY = Identity("desk-1", "phoneterm", b"k" * 32, "9f3c21aa", "0.1.0", "VIRTUAL", None)
_TOPIC = "phoneterm/v1/t/desk-1/"


class Desk:
    """A terminal, and its actions so far."""

    def __init__(self, read_config=read_config):
        self.terminal = Terminal(_IDENTITY, Keymap(), STANDARD_ROLES, read_config)
        self.actions = []
        self.wait(1)

    def note(self, actions):
        """Keep the actions and return them."""
        self.actions += list(actions)
        return actions

    def wait(self, ms):
        """Let time pass in steps of 10 ms."""
        for _ in range(ms // 10):
            self.note(self.terminal.on_time(10))
        self.note(self.terminal.on_time(ms % 10))

    def key(self, legends):
        """Tap keys, 50 ms apart."""
        for legend in legends:
            self.wait(50)
            index = STANDARD_LEGENDS.index(legend)
            self.note(self.terminal.on_key(index, True))
            self.note(self.terminal.on_key(index, False))

    def down(self, kind, **fields):
        """Receive a message from the bridge."""
        topic = messages.topic_of("phoneterm", "desk-1", kind)
        return self.note(self.terminal.on_message(topic, messages.encode(kind, topic, _IDENTITY.key, fields)))

    def session(self, name="7d20"):
        """Receive a session."""
        self.down(messages.SESSION, boot="9f3c21aa", session=name, ttl_ms=8000)

    def request(self, name, op, boot="9f3c21aa"):
        """Receive a request for a start of this terminal."""
        return self.down(messages.REQUEST, id=name, boot=boot, op=op)

    def sent(self, kind):
        """Return the fields of every message of a kind sent so far."""
        found = [action for action in self.actions if isinstance(action, Publish) and action.topic.endswith(kind)]
        return [messages.decode(kind, action.topic, _IDENTITY.key, action.payload) for action in found]

    def heard(self):
        """Return the signals so far, and forget all actions."""
        signals = [action.signal for action in self.actions if isinstance(action, Indicate)]
        self.actions = []
        return signals


def permit(desk, rev=1):
    desk.down(messages.PERMISSIONS, rev=rev, multi_user_aware=True, blind=True, attended=True, classes=["internal"])


def desk_in_call(read_config=read_config):
    desk = Desk(read_config)
    desk.note(desk.terminal.on_link(True))
    desk.session()
    permit(desk)
    desk.down(messages.CALL, state="talking", call="c1")
    desk.wait(1000)
    desk.heard()
    return desk


def test_roles_of_a_board_that_cannot_be_are_our_own_mistake():
    try:
        Terminal(_IDENTITY, Keymap(), Roles("A", "A", "C", "D"), read_config)
    except ValueError as error:
        assert "two roles" in str(error)
    else:
        raise AssertionError("no ValueError")


def test_it_starts_with_a_signal_and_is_silent_when_nothing_happens():
    terminal = Terminal(_IDENTITY, Keymap(), STANDARD_ROLES, read_config)
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
        (_TOPIC + "up/state", 1, True, None),
        (_TOPIC + "up/hello", 1, False, None),
    ]
    desk.note(actions)
    assert desk.sent(messages.STATE) == [{"v": 1, "boot": "9f3c21aa", "state": "online"}]
    assert desk.sent(messages.HELLO) == [
        {
            "v": 1, "boot": "9f3c21aa", "fw": "0.1.0", "board": "VIRTUAL", "wire": [1, 1],
            "caps": ["blind", "attended", "complete", "cancel", "swap"], "crash": None, "safe": None,
        }
    ]  # fmt: skip


def test_the_will_says_offline_for_this_boot():
    topic, payload = Desk().terminal.will()
    assert topic == _TOPIC + "up/state"
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


def test_a_new_session_ends_an_open_sequence_aloud():
    desk = desk_in_call()
    desk.key("#11")
    desk.session("beef")
    assert desk.heard()[-2:] == ["ready", "failed"]
    assert not desk.terminal.is_sequence_open


def test_commands_are_numbered_and_tell_when_and_in_which_call_they_were_keyed():
    desk = desk_in_call()
    desk.key("#1102")
    desk.down(messages.RESULT, id="7d20.1", state="rejected", reason="unknown-number")
    desk.wait(1000)
    desk.key("*2103")
    first, second = desk.sent(messages.COMMAND)
    assert first == {"v": 1, "id": "7d20.1", "op": "blind", "number": "102", "first_ms": 1050, "since_ms": 1250,
                     "call": "c1"}  # fmt: skip
    assert (second["id"], second["op"], second["number"]) == ("7d20.2", "attended", "103")
    publish = next(action for action in desk.actions if isinstance(action, Publish))
    assert (publish.qos, publish.retain, publish.ref, publish.deadline_ms) == (1, False, "7d20.1", 3000)


def test_an_operation_without_a_number_is_sent_when_its_code_is_complete():
    table = operations._TABLE
    operations._TABLE += "park|attended|#9||call|done|\n"
    try:
        desk = desk_in_call()
        desk.key("#9")
        (command,) = desk.sent(messages.COMMAND)
    finally:
        operations._TABLE = table
    assert (command["op"], command["number"], command["call"]) == ("park", None, "c1")
    assert not desk.terminal.is_sequence_open
    assert desk.actions[-1] == Show("Sent", "")


def test_a_sequence_is_open_from_the_first_key_to_the_last():
    desk = desk_in_call()
    assert not desk.terminal.is_sequence_open
    for keys, is_open in (("#", True), ("1", True), ("1", True), ("0", True), ("2", False)):
        desk.key(keys)
        assert desk.terminal.is_sequence_open == is_open


def test_permissions_are_acknowledged_with_the_revision_in_force():
    desk = desk_in_call()
    permit(desk, rev=7)
    permit(desk, rev=6)
    assert [ack["permissions"] for ack in desk.sent(messages.ACK)] == [7, 7]
    assert desk.terminal.counters()["dropped"] == 1
    desk.note(desk.terminal.on_message(_TOPIC + "down/permissions", b""))
    desk.key("#1")
    assert desk.heard()[-1] == "refused-permission"


def test_permissions_that_come_before_the_link_is_up_count_but_are_not_acknowledged():
    desk = Desk()
    permit(desk)
    assert desk.sent(messages.ACK) == []
    desk.note(desk.terminal.on_link(True))
    desk.session()
    desk.down(messages.CALL, state="talking", call="c1")
    desk.key("#1102")
    assert len(desk.sent(messages.COMMAND)) == 1


def test_permissions_are_logged_when_they_change_what_is_in_force():
    desk = desk_in_call()
    permit(desk, rev=7)
    permit(desk, rev=7)
    permit(desk, rev=6)
    desk.down(messages.PERMISSIONS, rev=8, multi_user_aware=False, blind=True, attended=True, classes=["internal"])
    permit(desk, rev=9)
    for _ in range(2):
        desk.note(desk.terminal.on_message(_TOPIC + "down/permissions", b""))
    logged = [action.detail for action in desk.actions if isinstance(action, Log) and action.event == "permissions"]
    assert logged == [
        "rev 7, may transfer", "rev 8, may not transfer", "rev 9, may transfer", "rev 9, may not transfer",
    ]  # fmt: skip


def test_a_config_is_put_in_force_and_acknowledged():
    desk = desk_in_call()
    desk.down(messages.CONFIG, rev=3, digit_map="internal:2x", country="de")
    desk.down(messages.CONFIG, rev=3, digit_map="internal:3x")
    desk.down(messages.CONFIG, rev=2, digit_map="internal:4x")
    assert [(ack["config"], ack["error"]) for ack in desk.sent(messages.ACK)] == [(3, None)] * 3
    assert desk.terminal.country == "de"
    assert desk.terminal.counters()["dropped"] == 1
    desk.key("#122")
    assert desk.sent(messages.COMMAND)[0]["number"] == "22"


def test_a_config_that_is_wrong_is_acknowledged_with_the_error_and_the_old_one_stays():
    desk = desk_in_call()
    desk.down(messages.CONFIG, rev=3, digit_map="internal:2x")
    desk.down(messages.CONFIG, rev=4, digit_map="internal:[2")
    ack = desk.sent(messages.ACK)[1]
    assert (ack["config"], ack["error"]) == (3, "digit map, position 10: this [ has no ]")
    assert any(isinstance(action, Log) and action.event == "config" for action in desk.actions)
    desk.down(messages.CONFIG, rev=5, digit_map="internal:3x", country="zz")
    assert desk.sent(messages.ACK)[2]["error"] == "there are no tones for country zz"
    desk.key("#122")
    assert len(desk.sent(messages.COMMAND)) == 1


class ShortMemory:
    """Reads configs like core.config, but fails a given number of times for want of memory."""

    def __init__(self):
        self.tries = 0
        self.failures = 0

    def read_config(self, document, roles):
        """Return the Config, or fail."""
        if not document:
            return read_config(document, roles)
        self.tries += 1
        if self.failures:
            self.failures -= 1
            raise MemoryError
        return read_config(document, roles)


def desk_short_of_memory(failures):
    """Return a desk in a call, and the reader that fails this many times for a config of the bridge."""
    short = ShortMemory()
    short.failures = failures
    return desk_in_call(short.read_config), short


def acks(desk):
    """Return (revision of the config in force, error) of every acknowledgement so far."""
    return [(ack["config"], ack["error"]) for ack in desk.sent(messages.ACK)]


_SHORT = "the memory is too short to read it"


def test_a_config_for_which_the_memory_is_too_short_is_tried_again_by_itself_ever_more_slowly():
    desk, short = desk_short_of_memory(4)
    desk.down(messages.CONFIG, rev=3, digit_map="internal:2xx")
    assert (acks(desk), short.tries) == ([(0, _SHORT)], 1)
    for pause_ms in (2000, 4000, 8000):
        desk.wait(pause_ms - 10)
        tries = short.tries
        desk.wait(10)
        assert short.tries == tries + 1
    desk.wait(16000)
    assert acks(desk) == [(0, _SHORT)] * 4 + [(3, None)]
    desk.wait(400000)
    assert len(acks(desk)) == 5
    desk.key("#1202")
    assert desk.sent(messages.COMMAND)[0]["number"] == "202"


def test_a_config_is_not_tried_again_while_a_sequence_is_open():
    desk, _ = desk_short_of_memory(1)
    desk.down(messages.CONFIG, rev=3, digit_map="internal:2x")
    desk.wait(1900)
    desk.key("#11")
    desk.wait(1000)
    assert len(acks(desk)) == 1
    desk.key("02")
    assert desk.sent(messages.COMMAND)[0]["number"] == "102"
    desk.wait(200)
    assert acks(desk)[-1] == (3, None)


def test_every_acknowledgement_names_the_trouble_until_a_config_was_taken():
    desk, _ = desk_short_of_memory(1)
    desk.down(messages.CONFIG, rev=3, digit_map="internal:2x")
    permit(desk, rev=2)
    assert acks(desk)[-1] == (0, _SHORT)
    desk.down(messages.CONFIG, rev=4, digit_map="internal:2x", country="zz")
    permit(desk, rev=2)
    assert acks(desk)[-1] == (0, "there are no tones for country zz")
    desk.wait(10000)
    desk.down(messages.CONFIG, rev=5, digit_map="internal:2x")
    permit(desk, rev=2)
    assert acks(desk)[-2:] == [(5, None)] * 2


def test_a_config_that_is_sent_again_is_read_at_once():
    desk, _ = desk_short_of_memory(1)
    desk.down(messages.CONFIG, rev=3, digit_map="internal:2x")
    desk.down(messages.CONFIG, rev=3, digit_map="internal:2x")
    assert acks(desk) == [(0, _SHORT), (3, None)]


def test_an_empty_config_brings_the_defaults_back():
    desk = desk_in_call()
    desk.down(messages.CONFIG, rev=3, digit_map="internal:2x", country="de")
    desk.note(desk.terminal.on_message(_TOPIC + "down/config", b""))
    assert desk.terminal.country == "us"
    assert desk.sent(messages.ACK)[1]["config"] == 0
    desk.key("#1102")
    assert len(desk.sent(messages.COMMAND)) == 1


def test_a_config_that_comes_while_a_sequence_is_open_waits_for_its_end():
    desk = desk_in_call()
    desk.key("#11")
    desk.down(messages.CONFIG, rev=3, digit_map="internal:2x")
    assert desk.sent(messages.ACK) == []
    desk.key("02")
    assert desk.sent(messages.COMMAND)[0]["number"] == "102"
    desk.wait(20)
    assert desk.sent(messages.ACK)[0]["config"] == 3


def test_messages_that_are_not_right_are_counted_and_change_nothing():
    desk = desk_in_call()
    wrong = (
        ("down/permissions", b'{"v":1}'), ("down/session", b"x"), ("down/call", b"\xff"), ("down/result", b"x" * 600),
        ("down/request", b""), ("down/session", b""),
    )  # fmt: skip
    for topic, payload in wrong:
        desk.note(desk.terminal.on_message(_TOPIC + topic, payload))
    assert desk.terminal.counters()["refused"] == len(wrong)
    for topic in (_TOPIC + "up/command", _TOPIC + "down/none", "phoneterm/v1/t/desk-2/down/call", "", "x"):
        desk.note(desk.terminal.on_message(topic, b"{}"))
    assert desk.terminal.counters()["dropped"] == 5
    assert desk.heard() == []


def test_a_signed_config_with_a_field_that_is_not_right_is_answered_with_the_error():
    desk = desk_in_call()
    topic = _TOPIC + "down/config"
    good = messages.encode(messages.CONFIG, topic, _IDENTITY.key, {"rev": 3, "digit_map": "a:1"})
    text = good.decode().partition("\n")[0].replace('"rev":3', '"rev":-3')
    signature = messages.mac.sign(_IDENTITY.key, (topic + "\n" + text).encode())
    desk.note(desk.terminal.on_message(topic, (text + "\n" + signature).encode()))
    assert desk.sent(messages.ACK)[0]["error"] == "field rev is missing or not right"


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


def test_hello_says_how_the_run_before_crashed():
    identity = Identity("desk-1", "phoneterm", _IDENTITY.key, "9f3c21aa", "0.1.0", "VIRTUAL", "watchdog link")
    terminal = Terminal(identity, Keymap(), STANDARD_ROLES, read_config)
    hello = terminal.on_link(True)[1]
    fields = messages.decode(messages.HELLO, hello.topic, _IDENTITY.key, hello.payload)
    assert (fields["crash"], fields["safe"]) == ("watchdog link", None)


def test_an_update_is_logged_as_not_supported():
    desk = desk_in_call()
    (action,) = desk.request("r1", "update")
    assert isinstance(action, Log)
    assert "not supported" in action.detail


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


def test_a_key_of_the_very_look_that_tells_a_stall_is_no_part_of_the_number_before_it():
    desk = desk_in_call()
    desk.key("#11")
    desk.note(desk.terminal.on_stall())
    desk.note(desk.terminal.on_key(STANDARD_LEGENDS.index("0"), True))
    assert desk.sent(messages.COMMAND) == []
    assert not desk.terminal.is_sequence_open
    assert desk.terminal.counters()["tainted"] == 1


def test_a_link_given_up_for_lack_of_memory_is_told_as_that():
    desk = desk_in_call()
    desk.note(desk.terminal.on_link(False))
    assert desk.note(desk.terminal.on_memory_short()) == (Show("Short of memory", ""),)


def test_a_result_of_no_command_of_ours_is_dropped():
    desk = desk_in_call()
    desk.down(messages.RESULT, id="7d20.1", state="done")
    assert desk.heard() == []
    assert desk.terminal.counters()["dropped"] == 1


def test_a_session_the_bridge_does_not_know_is_renewed_at_once():
    desk = desk_in_call()
    desk.key("#1102")
    desk.down(messages.RESULT, id="7d20.1", state="rejected", reason="bad-session")
    assert len(desk.sent(messages.HELLO)) == 1


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


def test_four_commands_without_an_answer_are_the_most():
    desk = desk_in_call()
    desk.down(messages.CALL, state="consulting", call="c1")
    desk.key("DDDDD")
    assert len(desk.sent(messages.COMMAND)) == 4
    assert desk.heard()[-1] == "refused-permission"
    desk.down(messages.CALL, state="talking", call="c1")
    desk.wait(1000)
    desk.key("#1102")
    assert desk.heard()[-1] == "refused-permission"
    assert desk.sent(messages.COMMAND) == []


def test_an_outcome_that_is_acknowledged_or_answered_is_not_told_again():
    desk = desk_in_call()
    desk.key("#1102")
    assert desk.terminal.on_published("7d20.1", True) == ()
    desk.down(messages.RESULT, id="7d20.1", state="done")
    desk.actions = []
    assert desk.terminal.on_published("7d20.1", False) == ()


def test_how_the_publishing_of_a_forgotten_command_ended_is_nobodys_business():
    desk = desk_in_call()
    assert desk.terminal.on_published("7d20.99", False) == ()
