"""The wire contract: every topic, and how each message is encoded, decoded, checked and signed.

Does not keep state, read clocks or act on messages. Both ends import this file, so that there is one definition;
`asyncapi.yaml` describes the same contract for others and is tested against it.

A message is a JSON object of at most 512 bytes. Signed kinds are the JSON text, a newline and the signature
(`mac.sign`) of topic + newline + JSON text, so a message is worth nothing under another topic. Unknown fields are
ignored; every known one is checked, because MicroPython's `json` accepts garbage such as `{"a":}`.
A reason may be one that this version does not know: an unknown reason is still a refusal.
Times are integer milliseconds. Bad input from outside gives a value, `Rejected(reason, detail)`; asking for a
kind that does not exist, or encoding a bad field, is our own mistake and raises ValueError.
"""

import json
from collections import namedtuple

from phoneterm.core import mac, operations

VERSION = 1
MAX_PAYLOAD_BYTES = 512
MAX_NUMBER_CHARS = 32
SYMBOLS = "0123456789*#"  # the keys of a number; # can only end it
MAX_TID_CHARS = 32

HELLO = "up/hello"
STATE = "up/state"
COMMAND = "up/command"
ACK = "up/ack"
TELEMETRY = "up/telemetry"
REFUSAL = "up/refusal"
SESSION = "down/session"
PERMISSIONS = "down/permissions"
CONFIG = "down/config"
CALL = "down/call"
RESULT = "down/result"
REQUEST = "down/request"
BRIDGE_STATE = "bridge/state"

FINAL_STATES = ("done", "returned", "failed", "rejected", "unknown")

# The characters that a text may have, by the name of the set.
_LOWER = "0123456789abcdefghijklmnopqrstuvwxyz-"
_NAME = _LOWER + _LOWER[10:].upper() + "._+"
_SETS = {
    "hex": _LOWER[:16],
    "tid": _LOWER,
    "name": _NAME,
    "legend": _LOWER[:-1].upper() + "*#",
    "map": _NAME + "*#[]|: ",
    "print": bytes(range(32, 127)).decode(),
}
_MOST = 0x3FFFFFFF  # the largest small integer on a 32-bit MicroPython

# The fields of each kind but "v", in their order: the name, "?" where it may be absent, and how it is checked:
#   int          0 to _MOST, or int,LOWEST,HIGHEST            bool       true or false
#   SET,MOST     1 to MOST characters of one of _SETS         number     digits, single stars only between digits
#   list,MOST    up to MOST names of 1 to 16 characters       pair       [lowest, highest] version
#   A|B|C        one of these words                                operation  the name of one
_FIELDS = {
    HELLO: "boot:hex,16 fw:name,16 board:name,40 wire:pair caps:list,16 crash?:print,120 safe?:print,120",
    STATE: "boot:hex,16 state:online|offline",
    COMMAND: ("id:name,32 op:operation number?:number first_ms:int since_ms:int call?:name,24"),
    ACK: "permissions:int config:int error?:print,120",
    TELEMETRY: (
        "uptime_s:int heap_free?:int heap_used?:int idf_free?:int idf_largest?:int idf_least?:int"
        " memory_restarts?:int rssi?:int,-127,0 gap_p50_ms?:int gap_p99_ms?:int gap_max_ms?:int keys?:int"
        " ghosts?:int stuck?:int tainted?:int reconnects?:int refused?:int dropped?:int restarts?:int"
    ),
    REFUSAL: "boot:hex,16 count:int ago_s:int reason:tid,24 op?:operation",
    SESSION: "boot:hex,16 session:hex,16 ttl_ms:int,100,60000",
    PERMISSIONS: "rev:int multi_user_aware:bool blind:bool attended:bool classes:list,16",
    CONFIG: (
        "rev:int digit_map:map,240 code_ms?:int,500,10000 digit_ms?:int,500,10000 total_ms?:int,2000,60000"
        " country?:tid,2 ops?:list,16 commit?:legend,1 erase?:legend,1 cancel?:legend,1 swap?:legend,1"
    ),
    CALL: "state:idle|ringing|talking|consulting call?:name,24 reason?:tid,24",
    RESULT: "id:name,32 state:accepted|ringing|consulting|done|returned|failed|rejected|unknown reason?:tid,24",
    REQUEST: "id:name,32 boot:hex,16 op:identify|reboot|update|wipe",
    BRIDGE_STATE: "state:online|degraded|offline",
}
_UNSIGNED = (STATE, TELEMETRY, BRIDGE_STATE)

KINDS = tuple(_FIELDS)


def _pack(rows):
    """Return the table as one text, "kind=name:check name:check \\n...": even a dict of texts takes 0.3 KB more."""
    text = "\n"
    for kind in rows:
        text += kind + "=" + rows[kind] + " \n"
    return text


_TABLE = _pack(_FIELDS)

Rejected = namedtuple("Rejected", "reason detail")


def is_tid(text):
    """Say whether `text` may name a terminal: 1 to 32 of a-z, 0-9 and '-'."""
    return _is_text(text, _SETS["tid"], MAX_TID_CHARS)


def is_number(text):
    """Say whether `text` may be a number on the wire: ASCII digits, single stars only before digits, 1 to 32 long."""
    return _is_text(text, "0123456789*", MAX_NUMBER_CHARS) and "**" not in text + "*"


def topic_of(base, tid, kind):
    """Return the topic of a message kind for one terminal (`tid` is not used for BRIDGE_STATE)."""
    if kind == BRIDGE_STATE:
        return base + "/v1/bridge/state"
    _existing(kind)
    return base + "/v1/t/" + tid + "/" + kind


def topic_filters(base, tid):
    """Return the two filters that a terminal subscribes to: all messages for it, and the bridge's state."""
    return (base + "/v1/t/" + tid + "/down/#", topic_of(base, tid, BRIDGE_STATE))


def bridge_filter(base):
    """Return the filter that the bridge subscribes to: the messages of every terminal."""
    return base + "/v1/t/+/up/#"


def parse_topic(base, topic):
    """Return (tid, kind) of a topic, with tid None for BRIDGE_STATE, or None when the contract has no such topic."""
    if topic == topic_of(base, "", BRIDGE_STATE):
        return (None, BRIDGE_STATE)
    prefix = base + "/v1/t/"
    if not topic.startswith(prefix):
        return None
    tid, _, kind = topic[len(prefix) :].partition("/")
    if not _find_fields(kind) or kind == BRIDGE_STATE or not is_tid(tid):
        return None
    return (tid, kind)


def is_signed(kind):
    """Say whether messages of this kind carry a signature."""
    return kind not in _UNSIGNED


def encode(kind, topic, key, fields, table=None):
    """Return the payload (bytes) of one message; `key` is bytes, or None for kinds that are not signed.

    Fields whose value is None are left out; "v" is added. ValueError names the field that is missing or wrong.
    `table`: the result of `fields_of` for this kind, if the caller keeps it.
    """
    payload = b'{"v":%d' % VERSION  # grows field by field: a list of all of them would take more than twice as much
    known = 0
    for name, is_required, check in table or fields_of(kind):
        value = fields.get(name)
        known += name in fields
        if value is None and not is_required:
            continue
        if not _is_right(check, value):
            raise ValueError("%s: field %s cannot be %r" % (kind, name, value))
        payload += (',"%s":%s' % (name, json.dumps(value))).encode()
    if known < len(fields):
        raise ValueError(kind + " has no field " + ", ".join(_unknown(kind, fields)))
    payload += b"}"
    if is_signed(kind):
        payload += b"\n" + mac.sign(key, topic.encode(), b"\n", payload).encode()
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ValueError("%s: %d bytes are more than %d" % (kind, len(payload), MAX_PAYLOAD_BYTES))
    return payload


def decode(kind, topic, key, payload, table=None):
    """Return the known fields of a payload as a dict (absent optional ones are None), or Rejected(reason, detail).

    Reasons: "too-long", "bad-signature", "malformed" (not a JSON object, or a field that is missing or wrong)
    and "version" (a later major version). `key` is bytes, or None for kinds that are not signed. `table`: the result
    of `fields_of` for this kind, if the caller keeps it.
    """
    table = table or fields_of(kind)
    if len(payload) > MAX_PAYLOAD_BYTES:
        return Rejected("too-long", "%d bytes are more than %d" % (len(payload), MAX_PAYLOAD_BYTES))
    at = payload.rfind(b"\n") if is_signed(kind) else len(payload)
    signature = payload[at + 1 :]
    signed = memoryview(payload)[:at]
    try:
        text = str(payload if at < 0 else signed, "utf-8")
        signature = str(signature, "utf-8")
    except ValueError:
        return Rejected("malformed", "not UTF-8")
    if is_signed(kind) and (at < 0 or not _is_genuine(topic, key, signed, signature)):
        return Rejected("bad-signature", "no signature, or a wrong one")
    try:
        document = json.loads(text)
    except (ValueError, RuntimeError):  # RuntimeError: CPython's RecursionError on deep nesting
        return Rejected("malformed", "not JSON")
    if not isinstance(document, dict):
        return Rejected("malformed", "not a JSON object")
    return _checked_fields(table, document)


def _is_genuine(topic, key, signed, signature):
    return key is not None and mac.is_equal(mac.sign(key, topic.encode(), b"\n", signed), signature)


def fields_of(kind):
    """Yield (name, is required, check) for each field of a kind but "v", one by one because memory is short."""
    return _read_fields(_existing(kind))


def _existing(kind):
    """Return where the fields of a kind begin in the table; ValueError for one that does not exist."""
    at = _find_fields(kind)
    if not at:
        raise ValueError("no such message kind: " + str(kind))
    return at


def _find_fields(kind):
    """Return where the fields of a kind begin in the table, 0 for one that does not exist."""
    at = _TABLE.find("\n%s=" % kind) + 1
    end = _TABLE.find("=", at)
    return end + 1 if at and _TABLE[at:end] == kind else 0


def _unknown(kind, fields):
    known = [row[0] for row in fields_of(kind)]
    return [name for name in fields if name not in known]


def _read_fields(at):
    while _TABLE[at] != "\n":
        end = _TABLE.find(" ", at)
        name, _, check = _TABLE[at:end].partition(":")
        at = end + 1
        is_required = name[-1] != "?"
        yield name if is_required else name[:-1], is_required, check.split(",")


def _checked_fields(table, document):
    version = document.get("v")
    if _is_integer(version) and version > VERSION:
        return Rejected("version", "version %d is not %d" % (version, VERSION))
    if version != VERSION or not _is_integer(version):
        return Rejected("malformed", "field v is missing or not right")
    fields = {"v": version}
    for name, is_required, check in table:
        value = document.get(name)
        if not _is_right(check, value) and (is_required or value is not None):
            return Rejected("malformed", "field %s is missing or not right" % name)
        fields[name] = value
    return fields


def _is_right(check, value):
    name = check[0]
    if name == "int":
        lowest, highest = (int(check[1]), int(check[2])) if len(check) > 1 else (0, _MOST)
        return _is_integer(value) and lowest <= value <= highest
    if name == "bool":
        return isinstance(value, bool)
    if name in _SETS:
        return _is_text(value, _SETS[name], int(check[1]))
    if name == "list":
        return _is_list(value, int(check[1]))
    if name == "number":
        return is_number(value)
    if name == "operation":
        return isinstance(value, str) and operations.find(value) is not None
    if name == "pair":
        return isinstance(value, list) and len(value) == 2 and all(map(_is_integer, value))
    return isinstance(value, str) and value in name.split("|")


def _is_integer(value):
    return type(value) is int  # True and False are integers too


def _is_text(value, characters, most):
    """Say whether `value` is a string of 1 to `most` characters, all of them in `characters`."""
    return isinstance(value, str) and 1 <= len(value) <= most and not value.strip(characters)


def _is_list(value, most):
    return isinstance(value, list) and len(value) <= most and all(_is_text(item, _SETS["tid"], 16) for item in value)
