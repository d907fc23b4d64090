"""From keys to commands, and what comes back for them. Runs on CPython and on MicroPython."""

from core.terminal_desk import desk_in_call
from phoneterm.core import messages, operations
from phoneterm.core.actions import Publish, Show
from phoneterm.core.keymap import STANDARD_LEGENDS


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


def test_a_key_of_the_very_look_that_tells_a_stall_is_no_part_of_the_number_before_it():
    desk = desk_in_call()
    desk.key("#11")
    desk.note(desk.terminal.on_stall())
    desk.note(desk.terminal.on_key(STANDARD_LEGENDS.index("0"), True))
    assert desk.sent(messages.COMMAND) == []
    assert not desk.terminal.is_sequence_open
    assert desk.terminal.counters()["tainted"] == 1


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
