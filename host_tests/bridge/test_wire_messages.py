"""With cached fields of each kind, the bridge encodes and decodes exactly as the contract."""

import pytest
from phoneterm.core import messages
from phoneterm_bridge.mqtt import wire_messages

_KEY = b"k" * 32
_FIELDS = {
    messages.COMMAND: {"id": "s.1", "op": "blind", "number": "102", "first_ms": 1, "since_ms": 2, "call": "c1"},
    messages.RESULT: {"id": "s.1", "state": "failed", "reason": "no-answer"},
    messages.PERMISSIONS: {"rev": 1, "multi_user_aware": True, "blind": True, "attended": False, "classes": ["a"]},
    messages.BRIDGE_STATE: {"state": "online"},
}


@pytest.mark.parametrize("kind", _FIELDS)
def test_messages_are_those_of_the_contract_again_and_again(kind):
    topic = messages.topic_of("phoneterm", "desk-1", kind)
    payload = messages.encode(kind, topic, _KEY, _FIELDS[kind])
    for _ in range(2):
        assert wire_messages.encode(kind, topic, _KEY, _FIELDS[kind]) == payload
        assert wire_messages.decode(kind, topic, _KEY, payload) == messages.decode(kind, topic, _KEY, payload)


def test_a_field_that_is_not_right_is_refused_again_and_again():
    topic = messages.topic_of("phoneterm", "desk-1", messages.STATE)
    for _ in range(2):
        assert wire_messages.decode(messages.STATE, topic, None, b'{"v":1,"boot":"1"}').reason == "malformed"
        with pytest.raises(ValueError, match="field state cannot be None"):
            wire_messages.encode(messages.STATE, topic, None, {"boot": "1"})


def test_asking_for_a_kind_that_does_not_exist_is_our_own_mistake():
    with pytest.raises(ValueError, match="no such message kind: up/none"):
        wire_messages.decode("up/none", "t", _KEY, b"{}")
