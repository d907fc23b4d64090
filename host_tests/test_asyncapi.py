"""Checks the AsyncAPI document against the code of both ends: same topics, same fields, same verdict on every value."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from phoneterm.core import messages, operations

_KEY = b"a terminal's key"
_PATH = Path(__file__).parents[1] / "firmware" / "asyncapi.yaml"
_DOCUMENT = yaml.safe_load(_PATH.read_text())
_MESSAGES = _DOCUMENT["components"]["messages"]

# Valid and invalid values of fields: the ends of ranges, near misses, wrong types.
_CANDIDATES = [
    None, True, False, -1, 0, 1, 2, 99, 100, 499, 500, 1999, 2000, 10000, 10001, 60000, 60001, -127, -128,
    1073741823, 1073741824, 1.5, "", "a", "A", "0", "*", "#", "1*2", "1**2", "*1", "1*", "102", "us", "9f3c21aa",
    "9F3C21AA", "0" * 16, "0" * 17, "1" * 32, "1" * 33, "a.b+c-d", "x y", "\u0661\u0662", "1\n", "é", "a" * 24,
    "a" * 25, "a" * 40, "a" * 41, "a" * 120, "a" * 121, "internal:1xx|national:0[1-9]x.T", "m" * 240, "m" * 241,
    "online", "degraded", "offline", *operations.names(), "park", "identify", "reboot", "idle",
    "talking", "consulting", "accepted", "done", "unknown", "permission", "a-reason-of-next-year", "No reason",
    "a" * 16, [], ["internal"],
    ["internal", 1], ["Internal"], ["a" * 17], ["a"] * 5, ["a"] * 6, ["a"] * 8, ["a"] * 9, ["a"] * 16, ["a"] * 17,
    [1, 1], [1], [1, 2, 3], [1, "1"], [True, 1], {}, {"a": 1},
]  # fmt: skip


def _example(kind):
    return dict(_MESSAGES[kind]["examples"][0]["payload"])


def _topic(kind):
    return messages.topic_of("phoneterm", "t101", kind)


def _check_pattern(_validator, pattern, value, _schema):
    # JSON Schema's `$` is the very end of the text; Python's also matches in front of a last newline.
    if isinstance(value, str) and not re.search(pattern.replace("$", r"\Z"), value):
        yield jsonschema.ValidationError(f"{value!r} does not match {pattern!r}")


def _is_accepted_by_document(kind, fields):
    # A boolean is an integer to Python, and 1.0 is one to JSON Schema; neither is one on this wire.
    checker = jsonschema.Draft7Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    validator = jsonschema.validators.extend(
        jsonschema.Draft7Validator, {"pattern": _check_pattern}, type_checker=checker
    )
    return validator(_MESSAGES[kind]["payload"]).is_valid(fields)


def _is_accepted_by_code(kind, fields):
    text = json.dumps(fields)
    if messages.is_signed(kind):
        text += "\n" + messages.mac.sign(_KEY, f"{_topic(kind)}\n{text}".encode())
    return not isinstance(messages.decode(kind, _topic(kind), _KEY, text.encode()), messages.Rejected)


def test_the_document_describes_every_kind_of_message_and_no_other():
    assert sorted(_MESSAGES) == sorted(_DOCUMENT["channels"]) == sorted(messages.KINDS)


@pytest.mark.parametrize("kind", messages.KINDS)
def test_the_document_names_the_topic_that_the_code_uses(kind):
    address = _DOCUMENT["channels"][kind]["address"]
    assert address.format(base="phoneterm", tid="t101") == _topic(kind)


@pytest.mark.parametrize("kind", messages.KINDS)
def test_the_document_says_which_messages_are_signed(kind):
    assert _MESSAGES[kind]["x-signed"] == messages.is_signed(kind)


@pytest.mark.parametrize("kind", messages.KINDS)
def test_the_example_is_what_the_code_encodes_and_what_the_document_allows(kind):
    fields = _example(kind)
    payload = messages.encode(kind, _topic(kind), _KEY, {name: fields[name] for name in fields if name != "v"})
    sent = json.loads(payload.partition(b"\n")[0])
    assert sent == {name: value for name, value in fields.items() if value is not None}
    assert _is_accepted_by_document(kind, sent)


@pytest.mark.parametrize("kind", messages.KINDS)
def test_document_and_code_agree_on_every_value_of_every_field(kind):
    for name in _MESSAGES[kind]["payload"]["properties"]:
        verdicts = set()
        for value in _CANDIDATES:
            fields = dict(_example(kind), **{name: value})
            by_code = _is_accepted_by_code(kind, fields)
            assert by_code == _is_accepted_by_document(kind, fields), f"{kind} {name} = {value!r}: code says {by_code}"
            verdicts.add(by_code)
        assert verdicts == {True, False}, f"{kind} {name}: no candidate is right, or none is wrong"


@pytest.mark.parametrize("kind", messages.KINDS)
def test_document_and_code_agree_on_what_may_be_absent(kind):
    for name in _MESSAGES[kind]["payload"]["properties"]:
        fields = _example(kind)
        fields.pop(name, None)
        assert _is_accepted_by_code(kind, fields) == _is_accepted_by_document(kind, fields), f"{kind} without {name}"


def test_the_document_lists_the_operations_of_the_table():
    properties = _MESSAGES[messages.COMMAND]["payload"]["properties"]
    assert properties["op"]["enum"] == list(operations.names())


def test_the_bindings_say_how_each_message_is_published():
    retained = {
        operation["channel"]["$ref"].rpartition("/")[2].replace("~1", "/")
        for operation in _DOCUMENT["operations"].values()
        if operation["bindings"]["mqtt"]["retain"]
    }
    assert retained == {messages.STATE, messages.PERMISSIONS, messages.CONFIG, messages.BRIDGE_STATE}
