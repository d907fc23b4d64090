"""The text form of AMI: broken input stays bounded, and no output can break out of its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phoneterm_bridge.pbx.ami.codec import (
    MAX_ACTION_LINE_BYTES,
    MAX_LINE_BYTES,
    MAX_MESSAGE_BYTES,
    Decoder,
    encode,
)

_TEXT = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=60)
_KEY = st.text("ABCDEFGHIJabcdefghij-", min_size=1, max_size=20)


def _decode(data):
    return Decoder().feed(data)


def test_the_greeting_does_not_hide_the_first_answer():
    messages = _decode(b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nActionID: 1\r\n\r\n")
    assert [message.pairs for message in messages] == [(("Response", "Success"), ("ActionID", "1"))]


def test_a_message_cut_anywhere_is_the_same_message():
    data = b"Event: Newchannel\r\nChannel: PJSIP/101-00000001\r\n\r\nEvent: Hangup\r\n\r\n"
    for cut in range(len(data)):
        decoder = Decoder()
        messages = decoder.feed(data[:cut]) + decoder.feed(data[cut:])
        assert [message.get("Event") for message in messages] == ["Newchannel", "Hangup"]


def test_keys_compare_without_case_and_the_first_of_several_counts():
    (message,) = _decode(b"Variable: a\r\nVARIABLE: b\r\nEmpty:\r\n\r\n")
    assert message.get("variable") == "a"
    assert message.all("Variable") == ("a", "b")
    assert message.get("Empty", "x") == ""
    assert message.get("None", "x") == "x"


def test_a_value_keeps_its_colons():
    (message,) = _decode(b"Contact: sip:101@127.0.0.1:5060\r\n\r\n")
    assert message.get("Contact") == "sip:101@127.0.0.1:5060"


def test_bytes_that_are_not_utf8_become_a_mark():
    (message,) = _decode(b"CallerIDName: M\xfcller\r\n\r\n")
    assert message.get("CallerIDName") == "M\ufffdller"


def test_lines_without_a_colon_and_empty_messages_are_passed_over():
    assert [message.pairs for message in _decode(b"\r\n\r\nnonsense\r\nEvent: X\r\n\r\n")] == [(("Event", "X"),)]


def test_a_line_that_is_too_long_costs_its_message_and_no_memory():
    decoder = Decoder()
    assert decoder.feed(b"Event: A\r\nLong: ") == []
    for _ in range(64):
        assert decoder.feed(b"x" * MAX_LINE_BYTES) == []
        assert decoder.line_bytes <= MAX_LINE_BYTES
    (message,) = decoder.feed(b"\r\nEvent: B\r\n\r\nEvent: C\r\n\r\n")
    assert message.get("Event") == "C"
    assert decoder.dropped == 1


def test_a_message_that_is_too_long_is_dropped_and_the_next_one_is_not():
    decoder = Decoder()
    line = b"Key: " + b"v" * 1000 + b"\r\n"
    messages = decoder.feed(line * (MAX_MESSAGE_BYTES // len(line) + 2) + b"\r\nEvent: Next\r\n\r\n")
    assert [message.get("Event") for message in messages] == ["Next"]
    assert decoder.dropped == 1


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", "102\r\nAction: Hangup", "a\r\n\r\nAction: Logoff\r\n\r\n"])
def test_line_ends_and_nul_are_refused_in_key_and_value(bad):
    with pytest.raises(ValueError, match="Exten cannot hold"):
        encode([("Action", "BlindTransfer"), ("Exten", bad)])
    with pytest.raises(ValueError, match="cannot be called"):
        encode([(bad, "102")])


@pytest.mark.parametrize("key", ["", "A:B", " A", "A ", "Ä"])
def test_a_key_that_would_read_as_another_is_refused(key):
    with pytest.raises(ValueError, match="cannot be called"):
        encode([(key, "x")])


def test_a_line_that_asterisk_would_cut_in_two_is_refused():
    encode([("Value", "x" * (MAX_ACTION_LINE_BYTES - len("Value: \r\n")))])
    with pytest.raises(ValueError, match="bytes long"):
        encode([("Value", "x" * MAX_ACTION_LINE_BYTES)])


@given(st.lists(st.tuples(_KEY, _TEXT), min_size=1, max_size=8))
def test_what_is_encoded_is_decoded_as_one_message_with_the_same_headers(pairs):
    (message,) = _decode(encode(pairs))
    assert message.pairs == tuple((key, value.strip()) for key, value in pairs)


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_no_bytes_break_the_decoder(chunks):
    decoder = Decoder()
    for chunk in chunks:
        for message in decoder.feed(chunk):
            assert all("\n" not in key + value for key, value in message.pairs)


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_key_and_value_make_one_message_or_a_value_error(key, value):
    try:
        data = encode([("Action", "Ping"), (key, value)])
    except ValueError:
        return
    (message,) = _decode(data)
    assert len(message.pairs) == 2
