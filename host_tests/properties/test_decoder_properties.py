"""No bytes from outside make a decoder or the terminal raise, or make it send a command."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from phoneterm.core import mac, messages
from phoneterm.core.actions import Publish
from phoneterm.core.config import read_config
from phoneterm.core.keymap import STANDARD_ROLES, Keymap
from phoneterm.core.messages import Rejected
from phoneterm.core.terminal import Identity, Terminal

_KEY = b"k" * 32
_IDENTITY = Identity("desk-1", "phoneterm", _KEY, "9f3c21aa", "0.1.0", "VIRTUAL", None)
_KIND = st.sampled_from(messages.KINDS)
_FIELD = st.sampled_from(
    ("v", "rev", "boot", "session", "ttl_ms", "state", "call", "reason", "id", "op", "classes", "multi_user_aware",
     "blind", "attended", "digit_map", "ops", "country", "commit", "erase", "code_ms", "digit_ms", "total_ms")
)  # fmt: skip
_VALUE = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.integers(0, 20),
        st.sampled_from(("talking", "consulting", "idle", "done", "online", "degraded", "offline", "9f3c21aa", "blind",
                         "reboot", "identify", "a:1xx", "internal:1xx|b:0x.T", "busy", "5e55.1", "de", "A", "#")),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip
_TEXT = st.dictionaries(_FIELD, _VALUE, max_size=12).map(lambda fields: json.dumps(dict(fields, v=1)))


def _topic(kind):
    return messages.topic_of("phoneterm", "desk-1", kind)


def _payload(kind, text):
    """Return a text as a correctly signed payload."""
    if messages.is_signed(kind):
        text += "\n" + mac.sign(_KEY, (_topic(kind) + "\n" + text).encode())
    return text.encode()


@settings(max_examples=400, deadline=None)
@given(_KIND, st.binary(max_size=600))
def test_no_bytes_make_the_decoder_raise(kind, payload):
    fields = messages.decode(kind, _topic(kind), _KEY, payload)
    assert isinstance(fields, (dict, Rejected))
    assert isinstance(fields, Rejected) or not messages.is_signed(kind)


@settings(max_examples=600, deadline=None)
@given(_KIND, st.one_of(_TEXT, st.text(max_size=60)))
def test_what_is_signed_is_right_or_refused_and_comes_back_the_same(kind, text):
    fields = messages.decode(kind, _topic(kind), _KEY, _payload(kind, text))
    if isinstance(fields, Rejected):
        assert fields.reason in ("malformed", "too-long", "version", "bad-signature")
        return
    again = messages.encode(kind, _topic(kind), _KEY, {name: fields[name] for name in fields if name != "v"})
    assert messages.decode(kind, _topic(kind), _KEY, again) == fields


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_no_topic_makes_the_contract_raise(topic):
    for base in ("phoneterm", "p"):
        messages.parse_topic(base, topic)
        messages.parse_topic(base, base + "/v1/t/" + topic)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(_KIND, st.one_of(_TEXT, st.just(""))), max_size=12), st.booleans())
def test_no_messages_make_the_terminal_raise_or_send_a_command(received, is_keying):
    terminal = Terminal(_IDENTITY, Keymap(), STANDARD_ROLES, read_config)
    actions = list(terminal.on_time(1)) + list(terminal.on_link(True))
    for kind, text in received:
        if is_keying:
            actions += terminal.on_key(14, True)
            actions += terminal.on_key(0, True)
        payload = _payload(kind, text) if text else b""
        actions += terminal.on_message(_topic(kind), payload)
        actions += terminal.on_time(50)
    assert not [one for one in actions if isinstance(one, Publish) and one.topic.endswith(messages.COMMAND)]
    assert not any(len(one.payload) > messages.MAX_PAYLOAD_BYTES for one in actions if isinstance(one, Publish))
