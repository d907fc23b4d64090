"""The wire contract: every topic, and how each message is encoded, decoded, checked and signed.

Does not keep state, read clocks or decide what a message leads to. Both ends import this file, so that there is
one definition; `asyncapi.yaml` describes the same contract for others and is tested against it.

A message is a JSON object of at most 512 bytes. Signed kinds are the JSON text, a newline and the signature
(`mac.sign`) of topic + newline + JSON text, so a message is worth nothing under another topic. Unknown fields are
ignored; every known one is checked, because MicroPython's `json` accepts garbage such as `{"a":}`.
Times are integer milliseconds. What is wrong from outside is a value, `Rejected(reason, detail)`; asking for a
kind that does not exist, or encoding a field that is not right, is our own mistake and raises ValueError.
"""

import json
from collections import namedtuple

from phoneterm.core import mac

VERSION = 1
MAX_PAYLOAD_BYTES = 512
MAX_NUMBER_CHARS = 32
MAX_TID_CHARS = 32

HELLO = "up/hello"
STATE = "up/state"
COMMAND = "up/command"
ACK = "up/ack"
TELEMETRY = "up/telemetry"
SESSION = "down/session"
PERMISSIONS = "down/permissions"
CONFIG = "down/config"
CALL = "down/call"
RESULT = "down/result"
REQUEST = "down/request"
BRIDGE_STATE = "bridge/state"

OPERATIONS = ("blind", "attended", "complete", "cancel", "swap")
RESULT_STATES = ("accepted", "ringing", "consulting", "done", "returned", "failed", "rejected", "unknown")
FINAL_STATES = ("done", "returned", "failed", "rejected", "unknown")
CALL_STATES = ("idle", "ringing", "talking", "consulting")
REASONS = (
    "permission", "destination", "no-call", "not-answered", "ambiguous", "bad-number", "unknown-number", "self",
    "busy-transferring", "stale", "duplicate", "bad-session", "bad-signature", "rate", "caller-gone", "busy",
    "no-answer", "refused-by-target", "unavailable", "congestion", "not-permitted-by-pbx", "pbx-misconfigured",
    "pbx-unreachable", "unsupported", "cancelled",
)  # fmt: skip

_DIGITS = "0123456789"
_HEX = "0123456789abcdef"
_TID = "abcdefghijklmnopqrstuvwxyz0123456789-"
_NAME = _TID + "ABCDEFGHIJKLMNOPQRSTUVWXYZ._+"
_LEGENDS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*#"
_DIGIT_MAP = _NAME + "*#[]|: "

# How a field is checked. Each row of _KINDS: field, required, check, and the check's two parameters.
_INTEGER = "integer"  # lowest, highest
_BOOLEAN = "boolean"
_TEXT = "text"  # characters allowed, most characters; at least one
_ONE_OF = "one of"  # the values allowed
_LIST = "list"  # characters allowed in an item, most items; an item has 1 to 16 characters
_RANGE = "range"  # [lowest, highest] version
_NUMBER = "number"  # digits, with single stars between digits
_TOP = 0x3FFFFFFF  # the largest small integer on a 32-bit MicroPython

_V = ("v", True, _INTEGER, 1, _TOP)
_BOOT = ("boot", True, _TEXT, _HEX, 16)
_REV = ("rev", True, _INTEGER, 0, _TOP)
_COUNT = (0, _TOP)

_SIGNED = True
_PLAIN = False
_KINDS = {
    HELLO: (_SIGNED, (
        _V, _BOOT, ("fw", True, _TEXT, _NAME, 16), ("board", True, _TEXT, _NAME, 40), ("wire", True, _RANGE, 0, 0),
        ("caps", True, _LIST, _TID, 8),
    )),
    STATE: (_PLAIN, (_V, _BOOT, ("state", True, _ONE_OF, ("online", "offline"), 0))),
    ACK: (_SIGNED, (
        _V, ("permissions", True, _INTEGER, 0, _TOP), ("config", True, _INTEGER, 0, _TOP),
        ("error", False, _TEXT, None, 120),
    )),
    COMMAND: (_SIGNED, (
        _V, ("id", True, _TEXT, _NAME, 32), ("op", True, _ONE_OF, OPERATIONS, 0),
        ("number", False, _NUMBER, 0, MAX_NUMBER_CHARS), ("first_ms", True, _INTEGER, 0, _TOP),
        ("since_ms", True, _INTEGER, 0, _TOP), ("call", False, _TEXT, _NAME, 24),
    )),
    TELEMETRY: (_PLAIN, (
        _V, ("uptime_s", True, _INTEGER) + _COUNT, ("heap_free", False, _INTEGER) + _COUNT,
        ("rssi", False, _INTEGER, -127, 0), ("gap_p50_ms", False, _INTEGER) + _COUNT,
        ("gap_p99_ms", False, _INTEGER) + _COUNT, ("gap_max_ms", False, _INTEGER) + _COUNT,
        ("keys", False, _INTEGER) + _COUNT, ("ghosts", False, _INTEGER) + _COUNT,
        ("stuck", False, _INTEGER) + _COUNT, ("tainted", False, _INTEGER) + _COUNT,
        ("reconnects", False, _INTEGER) + _COUNT, ("refused", False, _INTEGER) + _COUNT,
        ("dropped", False, _INTEGER) + _COUNT, ("restarts", False, _INTEGER) + _COUNT,
    )),
    SESSION: (_SIGNED, (
        _V, _BOOT, ("session", True, _TEXT, _HEX, 16), ("ttl_ms", True, _INTEGER, 100, 60000),
    )),
    PERMISSIONS: (_SIGNED, (
        _V, _REV, ("multi_user_aware", True, _BOOLEAN, 0, 0), ("blind", True, _BOOLEAN, 0, 0),
        ("attended", True, _BOOLEAN, 0, 0), ("classes", True, _LIST, _TID, 16),
    )),
    CONFIG: (_SIGNED, (
        _V, _REV, ("digit_map", True, _TEXT, _DIGIT_MAP, 240), ("code_ms", False, _INTEGER, 500, 10000),
        ("digit_ms", False, _INTEGER, 500, 10000), ("total_ms", False, _INTEGER, 2000, 60000),
        ("country", False, _TEXT, _TID, 2), ("ops", False, _LIST, _TID, 5),
        ("commit", False, _TEXT, _LEGENDS, 1), ("erase", False, _TEXT, _LEGENDS, 1),
        ("cancel", False, _TEXT, _LEGENDS, 1), ("swap", False, _TEXT, _LEGENDS, 1),
    )),
    CALL: (_SIGNED, (
        _V, ("state", True, _ONE_OF, CALL_STATES, 0), ("call", False, _TEXT, _NAME, 24),
        ("reason", False, _ONE_OF, REASONS, 0),
    )),
    RESULT: (_SIGNED, (
        _V, ("id", True, _TEXT, _NAME, 32), ("state", True, _ONE_OF, RESULT_STATES, 0),
        ("reason", False, _ONE_OF, REASONS, 0),
    )),
    REQUEST: (_SIGNED, (
        _V, ("id", True, _TEXT, _NAME, 32), ("op", True, _ONE_OF, ("identify", "reboot", "update"), 0),
    )),
    BRIDGE_STATE: (_PLAIN, (_V, ("state", True, _ONE_OF, ("online", "degraded", "offline"), 0))),
}  # fmt: skip

KINDS = tuple(_KINDS)

Rejected = namedtuple("Rejected", ("reason", "detail"))


def is_tid(text):
    """Say whether `text` may name a terminal: 1 to 32 of a-z, 0-9 and '-'."""
    return _is_text(text, _TID, MAX_TID_CHARS)


def is_number(text):
    """Say whether `text` may be a number on the wire: ASCII digits, single stars only between digits, 1 to 32 long."""
    if not _is_text(text, _DIGITS + "*", MAX_NUMBER_CHARS):
        return False
    return text[0] != "*" and text[-1] != "*" and "**" not in text


def topic_of(base, tid, kind):
    """Return the topic of a message kind for one terminal (`tid` is not used for BRIDGE_STATE)."""
    if kind == BRIDGE_STATE:
        return base + "/v1/bridge/state"
    if kind not in _KINDS:
        raise ValueError("no such message kind: " + str(kind))
    return base + "/v1/t/" + tid + "/" + kind


def topic_filters(base, tid):
    """Return the two filters a terminal subscribes to: all that is meant for it, and the bridge's state."""
    return (base + "/v1/t/" + tid + "/down/#", topic_of(base, tid, BRIDGE_STATE))


def bridge_filter(base):
    """Return the filter the bridge subscribes to: what every terminal says."""
    return base + "/v1/t/+/up/#"


def parse_topic(base, topic):
    """Return (tid, kind) of a topic, with tid None for BRIDGE_STATE, or None when the contract has no such topic."""
    if topic == topic_of(base, "", BRIDGE_STATE):
        return (None, BRIDGE_STATE)
    prefix = base + "/v1/t/"
    if not topic.startswith(prefix):
        return None
    tid, _, kind = topic[len(prefix) :].partition("/")
    if kind not in _KINDS or kind == BRIDGE_STATE or not is_tid(tid):
        return None
    return (tid, kind)


def is_signed(kind):
    """Say whether messages of this kind carry a signature."""
    return _KINDS[kind][0]


def encode(kind, topic, key, fields):
    """Return the payload (bytes) of one message; `key` is bytes, or None for kinds that are not signed.

    Fields whose value is None are left out; "v" is added. ValueError names the field that is missing or not right.
    """
    if kind not in _KINDS:
        raise ValueError("no such message kind: " + str(kind))
    signed, rows = _KINDS[kind]
    parts = []
    for row in rows:
        name = row[0]
        value = VERSION if name == "v" else fields.get(name)
        if value is None and not row[1]:
            continue
        if not _is_right(row, value):
            raise ValueError("%s: field %s cannot be %r" % (kind, name, value))
        parts.append('"%s":%s' % (name, json.dumps(value)))
    for name in fields:
        if not any(row[0] == name for row in rows):
            raise ValueError("%s has no field %s" % (kind, name))
    text = "{" + ",".join(parts) + "}"
    if signed:
        text = text + "\n" + mac.sign(key, (topic + "\n" + text).encode())
    payload = text.encode()
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ValueError("%s: %d bytes are more than %d" % (kind, len(payload), MAX_PAYLOAD_BYTES))
    return payload


def decode(kind, topic, key, payload):
    """Return the known fields of a payload as a dict (absent optional ones are None), or Rejected(reason, detail).

    Reasons: "too-long", "bad-signature", "malformed" (not a JSON object, or a field that is missing or not right)
    and "version" (a later major version). `key` is bytes, or None for kinds that are not signed.
    """
    if kind not in _KINDS:
        raise ValueError("no such message kind: " + str(kind))
    if len(payload) > MAX_PAYLOAD_BYTES:
        return Rejected("too-long", "%d bytes are more than %d" % (len(payload), MAX_PAYLOAD_BYTES))
    try:
        text = bytes(payload).decode()
    except ValueError:
        return Rejected("malformed", "the text is not UTF-8")
    signed, rows = _KINDS[kind]
    if signed:
        text = _checked_text(topic, key, text)
        if text is None:
            return Rejected("bad-signature", "the signature is missing or does not fit")
    try:
        document = json.loads(text)
    except (ValueError, RuntimeError):  # RuntimeError: CPython's RecursionError on deep nesting
        return Rejected("malformed", "the text is not JSON")
    if not isinstance(document, dict):
        return Rejected("malformed", "the text is not a JSON object")
    return _checked_fields(rows, document)


def _checked_text(topic, key, text):
    """Return the JSON text in front of a fitting signature, or None."""
    at = text.rfind("\n")
    if at < 0 or key is None:
        return None
    expected = mac.sign(key, (topic + "\n" + text[:at]).encode())
    return text[:at] if mac.is_equal(expected, text[at + 1 :]) else None


def _checked_fields(rows, document):
    fields = {}
    for row in rows:
        name = row[0]
        value = document.get(name)
        if value is None and not row[1]:
            fields[name] = None
        elif not _is_right(row, value):
            return Rejected("malformed", "field %s is missing or not right" % name)
        else:
            fields[name] = value
    if fields["v"] != VERSION:
        return Rejected("version", "version %d is not %d" % (fields["v"], VERSION))
    return fields


def _is_right(row, value):
    _, _, check, first, second = row
    if check == _INTEGER:
        return _is_integer(value) and first <= value <= second
    if check == _BOOLEAN:
        return value is True or value is False
    if check == _TEXT:
        return _is_text(value, first, second)
    if check == _ONE_OF:
        return isinstance(value, str) and value in first
    if check == _NUMBER:
        return is_number(value)
    if check == _LIST:
        return _is_list(value, first, second)
    return _is_list_of_two_integers(value)


def _is_integer(value):
    return isinstance(value, int) and value is not True and value is not False


def _is_text(value, allowed, most):
    """Say whether `value` is a string of 1 to `most` allowed characters (None: any printable ASCII)."""
    if not isinstance(value, str) or not 1 <= len(value) <= most:
        return False
    if allowed is None:
        return all(" " <= character <= "~" for character in value)
    return all(character in allowed for character in value)


def _is_list(value, allowed, most):
    return isinstance(value, list) and len(value) <= most and all(_is_text(item, allowed, 16) for item in value)


def _is_list_of_two_integers(value):
    return isinstance(value, list) and len(value) == 2 and _is_integer(value[0]) and _is_integer(value[1])
