"""How a terminal takes permissions and configurations, and what it says of them. Runs on CPython and on MicroPython."""

from core.terminal_desk import IDENTITY, TOPIC, Desk, desk_in_call, permit
from phoneterm.core import messages
from phoneterm.core.actions import Log
from phoneterm.core.config import read_config


def test_permissions_are_acknowledged_with_the_revision_in_force():
    desk = desk_in_call()
    permit(desk, rev=7)
    permit(desk, rev=6)
    assert [ack["permissions"] for ack in desk.sent(messages.ACK)] == [7, 7]
    assert desk.terminal.counters()["dropped"] == 1
    desk.note(desk.terminal.on_message(TOPIC + "down/permissions", b""))
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
        desk.note(desk.terminal.on_message(TOPIC + "down/permissions", b""))
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
    desk.note(desk.terminal.on_message(TOPIC + "down/config", b""))
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
        desk.note(desk.terminal.on_message(TOPIC + topic, payload))
    assert desk.terminal.counters()["refused"] == len(wrong)
    for topic in (TOPIC + "up/command", TOPIC + "down/none", "phoneterm/v1/t/desk-2/down/call", "", "x"):
        desk.note(desk.terminal.on_message(topic, b"{}"))
    assert desk.terminal.counters()["dropped"] == 5
    assert desk.heard() == []


def test_a_signed_config_with_a_field_that_is_not_right_is_answered_with_the_error():
    desk = desk_in_call()
    topic = TOPIC + "down/config"
    good = messages.encode(messages.CONFIG, topic, IDENTITY.key, {"rev": 3, "digit_map": "a:1"})
    text = good.decode().partition("\n")[0].replace('"rev":3', '"rev":-3')
    signature = messages.mac.sign(IDENTITY.key, (topic + "\n" + text).encode())
    desk.note(desk.terminal.on_message(topic, (text + "\n" + signature).encode()))
    assert desk.sent(messages.ACK)[0]["error"] == "field rev is missing or not right"
