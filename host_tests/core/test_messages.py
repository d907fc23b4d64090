"""The wire contract: topics, every kind encoded and decoded, every bad value. Runs on CPython and on MicroPython."""

import json

from phoneterm.core import mac, messages, operations
from phoneterm.core.messages import Rejected, decode, encode, topic_of

_KEY = b"0123456789abcdef"
_GOOD = {
    messages.HELLO: {"boot": "9f3c21aa", "fw": "1.4.0", "board": "ESP32_GENERIC", "wire": [1, 1], "caps": ["blind"],
                     "crash": "panic", "safe": "cancel key held"},
    messages.STATE: {"boot": "9f3c21aa", "state": "online"},
    messages.COMMAND: {
        "id": "7d20.12", "op": "blind", "number": "0003*210", "first_ms": 45702, "since_ms": 48211, "call": "c41",
    },
    messages.ACK: {"permissions": 17, "config": 3, "error": "digit map, position 1: the map is empty"},
    messages.TELEMETRY: {
        "uptime_s": 60, "heap_free": 50000, "heap_used": 90000, "idf_free": 40000, "idf_largest": 30000,
        "idf_least": 20000, "memory_restarts": 1, "rssi": -60, "gap_p50_ms": 1, "gap_p99_ms": 4, "gap_max_ms": 30,
        "keys": 9, "ghosts": 0, "stuck": 0, "tainted": 0, "reconnects": 1, "refused": 0, "dropped": 2, "restarts": 0,
    },
    messages.REFUSAL: {"boot": "9f3c21aa", "count": 3, "ago_s": 1, "reason": "no-such-code", "op": "blind"},
    messages.SESSION: {"boot": "9f3c21aa", "session": "7d20c6e1b4", "ttl_ms": 8000},
    messages.PERMISSIONS: {
        "rev": 17, "multi_user_aware": True, "blind": True, "attended": False, "classes": ["internal", "national"],
    },
    messages.CONFIG: {
        "rev": 4, "digit_map": "a:1[0-2]x.T | b:2*1#", "code_ms": 2500, "digit_ms": 3000, "total_ms": 20000,
        "country": "de", "ops": ["blind", "swap"], "commit": "#", "erase": "B", "cancel": "C", "swap": "*",
    },
    messages.CALL: {"state": "consulting", "call": "c41", "reason": "busy"},
    messages.RESULT: {"id": "7d20.12", "state": "rejected", "reason": "unknown-number"},
    messages.REQUEST: {"id": "r1", "boot": "9f3c21aa", "op": "identify"},
    messages.BRIDGE_STATE: {"state": "degraded"},
}  # fmt: skip
_OPTIONAL = {
    messages.HELLO: ("crash", "safe"),
    messages.ACK: ("error",),
    messages.COMMAND: ("number", "call"),
    messages.REFUSAL: ("op",),
    messages.TELEMETRY: tuple(name for name in _GOOD[messages.TELEMETRY] if name != "uptime_s"),
    messages.CONFIG: tuple(name for name in _GOOD[messages.CONFIG] if name not in ("rev", "digit_map")),
    messages.CALL: ("call", "reason"),
    messages.RESULT: ("reason",),
}
_NEVER_RIGHT = (True, 1.5, {}, [[]], "", "\n", "\u0661", -1000, 1 << 40, ["x" * 17])
_BAD = {
    "boot": ("XYZ", "9F", "a" * 17, 1),
    "fw": ("1 4", "v" * 17), "board": ("b/c", "b" * 41), "wire": ([1], [1, 1, 1], [1, "1"], [True, 1], 1),
    "crash": ("", "x" * 121, "\n", 1), "safe": ("", "x" * 121, "\u00e9"),
    "caps": (["a"] * 17, ["A"], [""], "blind", [1]), "state": ("up", 1), "id": ("a b", "a" * 33, 5),
    "op": ("park", ""), "number": ("**1", "1*", "1**2", "1" * 33, "1a", "+49", " 1", 102),
    "first_ms": ("1", -1), "since_ms": (-1, None), "call": ("c 1", "c" * 25), "permissions": (-1, "1"),
    "config": (-1, "1"), "error": ("x" * 121, "\u00e9", 3), "uptime_s": (-1, "1"), "heap_free": (-1,),
    "heap_used": (1.5,), "idf_free": (-1,), "idf_largest": ("1",), "idf_least": (-1,), "memory_restarts": (-1,),
    "rssi": (1, -128), "session": ("xyz", "a" * 17), "ttl_ms": (99, 60001), "rev": (-1, "1"),
    "multi_user_aware": (1, "true", 0), "blind": (1,), "attended": ("yes",), "classes": (["A"], ["a"] * 17, "a"),
    "digit_map": ("a;b", "a" * 241, 1), "code_ms": (499, 10001), "digit_ms": (499, 10001), "total_ms": (1999, 60001),
    "country": ("deu", "DE"), "ops": (["a"] * 17, "blind"), "commit": ("AB", "a"), "erase": ("",), "cancel": ("+",),
    "swap": (1,), "reason": ("why not", 1), "count": (-1, "1"), "ago_s": (-1, None),
}  # fmt: skip


def topic(kind):
    return topic_of("phoneterm", "desk-1", kind)


def signed(kind, text):
    """Return a correctly signed payload with any text."""
    if messages.is_signed(kind):
        text += "\n" + mac.sign(_KEY, (topic(kind) + "\n" + text).encode())
    return text.encode()


def reason(kind, payload):
    rejected = decode(kind, topic(kind), _KEY, payload)
    assert isinstance(rejected, Rejected), rejected
    assert rejected.detail
    return rejected.reason


def raises_value_error(function, *arguments):
    try:
        function(*arguments)
    except ValueError as error:
        return str(error)
    return ""


def test_every_kind_comes_back_as_it_was_sent():
    assert sorted(_GOOD) == sorted(messages.KINDS)
    for kind, fields in _GOOD.items():
        payload = encode(kind, topic(kind), _KEY, fields)
        assert len(payload) <= messages.MAX_PAYLOAD_BYTES
        assert decode(kind, topic(kind), _KEY, payload) == dict(fields, v=1)


def test_optional_fields_may_be_left_out_and_the_others_may_not():
    for kind, fields in _GOOD.items():
        for name in fields:
            fewer = {other: fields[other] for other in fields if other != name}
            if name in _OPTIONAL.get(kind, ()):
                assert decode(kind, topic(kind), _KEY, encode(kind, topic(kind), _KEY, fewer))[name] is None
            else:
                assert name in raises_value_error(encode, kind, topic(kind), _KEY, fewer)
                assert reason(kind, signed(kind, json.dumps(dict(fewer, v=1)))) == "malformed"


def test_a_value_that_is_not_right_is_refused_at_both_ends():
    tried = 0
    for kind, fields in _GOOD.items():
        for name in fields:
            is_flag = fields[name] is True or fields[name] is False
            for bad in _BAD.get(name, ()) + tuple(value for value in _NEVER_RIGHT if not (is_flag and value is True)):
                wrong = dict(fields)
                wrong[name] = bad
                if bad is not None:
                    assert name in raises_value_error(encode, kind, topic(kind), _KEY, wrong), (kind, name, bad)
                    assert reason(kind, signed(kind, json.dumps(dict(wrong, v=1)))) == "malformed", (kind, name, bad)
                    tried += 1
    assert tried > 500


def test_fields_that_nobody_knows_are_ignored_when_read_and_refused_when_written():
    for kind, fields in _GOOD.items():
        text = json.dumps(dict(fields, v=1, newer="field"))
        assert decode(kind, topic(kind), _KEY, signed(kind, text)) == dict(fields, v=1)
        assert "newer" in raises_value_error(encode, kind, topic(kind), _KEY, dict(fields, newer=1))


def test_another_version_is_named_as_such():
    for kind, fields in _GOOD.items():
        assert reason(kind, signed(kind, json.dumps(dict(fields, v=2)))) == "version"
        assert reason(kind, signed(kind, json.dumps(fields))) == "malformed"


def test_whatever_is_not_a_json_object_is_malformed():
    texts = ("", "[]", "1", "null", "true", '"text"', "{", "nonsense", '{"a":}', '{"v":1', "\x00", "[" * 200)
    for kind in messages.KINDS:
        for text in texts:
            assert reason(kind, signed(kind, text)) == "malformed", (kind, text)


def test_bytes_that_are_not_utf_8_are_malformed():
    for kind in messages.KINDS:
        assert reason(kind, b"\xff\xfe{}") == "malformed"


def test_a_payload_over_the_limit_is_refused_before_it_is_read():
    for kind in messages.KINDS:
        assert reason(kind, b"x" * 513) == "too-long"
        assert reason(kind, b"{" * 10000) == "too-long"
    long_map = dict(_GOOD[messages.CONFIG], digit_map="a:1" * 80, ops=["x" * 16] * 5)
    assert raises_value_error(encode, messages.CONFIG, "t", _KEY, long_map).endswith("bytes are more than 512")


def test_every_flipped_bit_of_a_signed_message_is_noticed():
    for kind in (messages.COMMAND, messages.PERMISSIONS):
        payload = encode(kind, topic(kind), _KEY, _GOOD[kind])
        for index in range(0, len(payload), 3):
            for bit in (0, 2, 5):
                flipped = bytearray(payload)
                flipped[index] ^= 1 << bit
                assert isinstance(decode(kind, topic(kind), _KEY, bytes(flipped)), Rejected), (index, bit)


def test_a_message_is_worth_nothing_under_another_topic_key_or_kind():
    payload = encode(messages.COMMAND, topic(messages.COMMAND), _KEY, _GOOD[messages.COMMAND])
    other = topic_of("phoneterm", "desk-2", messages.COMMAND)
    assert decode(messages.COMMAND, other, _KEY, payload).reason == "bad-signature"
    assert decode(messages.COMMAND, topic(messages.COMMAND), b"another key", payload).reason == "bad-signature"
    assert decode(messages.COMMAND, topic(messages.COMMAND), None, payload).reason == "bad-signature"
    assert decode(messages.RESULT, topic(messages.RESULT), _KEY, payload).reason == "bad-signature"


def test_a_signature_that_is_missing_cut_or_in_capitals_does_not_fit():
    kind = messages.RESULT
    payload = encode(kind, topic(kind), _KEY, _GOOD[kind])
    text, _, signature = payload.decode().partition("\n")
    for wrong in (text, text + "\n", text + "\n" + signature[:-1], text + "\n" + signature.upper(), text + signature):
        assert wrong != payload.decode()
        assert reason(kind, wrong.encode()) == "bad-signature"


def test_only_the_messages_of_no_consequence_are_not_signed():
    plain = [kind for kind in messages.KINDS if not messages.is_signed(kind)]
    assert sorted(plain) == sorted([messages.STATE, messages.TELEMETRY, messages.BRIDGE_STATE])


def test_topics_are_spelt_as_the_contract_says():
    assert topic_of("phoneterm", "desk-1", messages.COMMAND) == "phoneterm/v1/t/desk-1/up/command"
    assert topic_of("phoneterm", "desk-1", messages.BRIDGE_STATE) == "phoneterm/v1/bridge/state"
    assert messages.topic_filters("b", "desk-1") == ("b/v1/t/desk-1/down/#", "b/v1/bridge/state")
    assert messages.bridge_filter("b") == "b/v1/t/+/up/#"


def test_topics_are_read_back_and_others_are_not_ours():
    for kind in messages.KINDS:
        expected = (None, kind) if kind == messages.BRIDGE_STATE else ("desk-1", kind)
        assert messages.parse_topic("phoneterm", topic(kind)) == expected
    strangers = (
        "", "phoneterm", "phoneterm/v1/t/", "phoneterm/v1/t/desk-1", "phoneterm/v1/t/desk-1/up/none",
        "phoneterm/v1/t/DESK/up/command", "phoneterm/v1/t//up/command", "phoneterm/v1/t/a+b/up/command",
        "phoneterm/v1/t/#/up/command", "other/v1/t/desk-1/up/command", "phoneterm/v2/t/desk-1/up/command",
        "phoneterm/v1/t/desk-1/bridge/state", "phoneterm/v1/t/" + "a" * 33 + "/up/command",
    )  # fmt: skip
    for stranger in strangers:
        assert messages.parse_topic("phoneterm", stranger) is None, stranger


def test_the_longest_hello_and_config_have_room_for_every_operation():
    every = list(operations.names())
    hello = {"boot": "f" * 16, "fw": "1" * 16, "board": "B" * 40, "wire": [1, 1], "caps": every, "crash": '"' * 120}
    times = {"code_ms": 10000, "digit_ms": 10000, "total_ms": 60000, "country": "de"}
    roles = {"commit": "A", "erase": "B", "cancel": "C", "swap": "D"}
    config = dict(dict(times, rev=999999999, digit_map="m" * 240, ops=every), **roles)
    for kind, fields in ((messages.HELLO, hello), (messages.CONFIG, config)):
        assert not isinstance(decode(kind, topic(kind), _KEY, encode(kind, topic(kind), _KEY, fields)), Rejected)


def test_names_and_numbers_are_checked_by_their_characters():
    assert messages.is_tid("desk-1") and messages.is_tid("a" * 32)
    for bad in ("", "Desk", "desk 1", "a" * 33, "a+", None, 5):
        assert not messages.is_tid(bad)
    assert messages.is_number("102") and messages.is_number("1*2*3") and messages.is_number("1" * 32)
    assert messages.is_number("*102")
    for bad in ("", "*", "**1", "1*", "1**2", "1" * 33, "1a", "\u0661", "1\r\n2", None, 102):
        assert not messages.is_number(bad)


def test_asking_for_a_kind_that_does_not_exist_is_our_own_mistake():
    for call in (
        lambda: encode("up/none", "t", _KEY, {}),
        lambda: decode("up/none", "t", _KEY, b"{}"),
        lambda: topic_of("b", "t", "up/none"),
    ):
        assert "up/none" in raises_value_error(call)


def test_with_a_table_that_the_caller_keeps_the_messages_are_the_same():
    fields = {"id": "s.1", "state": "done", "reason": None}
    where = topic(messages.RESULT)
    table = list(messages.fields_of(messages.RESULT))
    payload = encode(messages.RESULT, where, _KEY, fields)
    for _ in range(2):
        assert encode(messages.RESULT, where, _KEY, fields, table) == payload
        assert decode(messages.RESULT, where, _KEY, payload, table) == decode(messages.RESULT, where, _KEY, payload)
