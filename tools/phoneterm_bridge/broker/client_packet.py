"""What a client may send at the embedded broker after its CONNECT: judges a whole packet. Does no input or output.

Only what the contract needs, and only what is put together as MQTT 3.1.1 says, so that amqtt behind the door reads
every packet to its end and never takes the middle of one for another. Layout from the OASIS standard, chapter 3.
"""

from phoneterm.core import messages

_PUBLISH, _PUBACK, _PINGREQ, _DISCONNECT = 0x3, 0x40, 0xC0, 0xE0
_SUBSCRIBE, _UNSUBSCRIBE = 0x82, 0xA2
_QOS = 0x06
_QOS_1, _QOS_2 = 0x02, 0x04
_FILTERS = 8
_MORE_BYTES = 4  # of a message: the length of its topic, and its packet id
_BY_QOS_2 = "it publishes with QoS 2, which the contract does not use"
_MALFORMED = "it sends packets that are not MQTT"


def most_bytes(base: str) -> int:
    """Return how long a packet after its fixed header may be: the longest message of the contract."""
    topics = [messages.topic_of(base, "x" * messages.MAX_TID_CHARS, kind) for kind in messages.KINDS]
    return max(map(len, topics)) + _MORE_BYTES + messages.MAX_PAYLOAD_BYTES


def find_fault(first: int, body: bytes) -> str | None:
    """Return why the connection must end after this packet, for the middle of a sentence; None if it need not."""
    if first >> 4 == _PUBLISH:
        return _judge_publish(first, body)
    if first == _PUBACK:
        is_right = len(body) == 2
    elif first in (_PINGREQ, _DISCONNECT):
        is_right = not body
    elif first in (_SUBSCRIBE, _UNSUBSCRIBE):
        is_right = _has_filters(body, first == _SUBSCRIBE)
    else:
        is_right = False
    return None if is_right else _MALFORMED


def is_subscribe(first: int) -> bool:
    """Say whether a packet that begins like this is a SUBSCRIBE."""
    return first == _SUBSCRIBE


def judge_first(first: int, size: int, most: int) -> str | None:
    """Return why the connection must end before the body of this packet is read; None if it need not."""
    if first >> 4 == _PUBLISH and first & _QOS_2:
        return _BY_QOS_2
    return f"it sends a packet of {size} bytes, and the contract has none over {most}" if size > most else None


def _judge_publish(first: int, body: bytes) -> str | None:
    end = _end_of_text(body, 0)
    topic = body[2:end]
    is_named = len(topic) > 0 and not set(topic) & set(b"+#\0")
    is_whole = end is not None and (not first & _QOS_1 or (len(body) >= end + 2 and any(body[end : end + 2])))
    return None if is_named and is_whole else _MALFORMED


def _has_filters(body: bytes, has_qos: bool) -> bool:
    at: int | None = 2
    count = 0
    while at is not None and at < len(body):
        end = _end_of_text(body, at)
        if end is not None and has_qos:
            end = end + 1 if end < len(body) and body[end] <= 2 else None
        at = end
        count += 1
    return at is not None and 1 <= count <= _FILTERS


def _end_of_text(body: bytes, at: int) -> int | None:
    """Return where a text that begins with its length ends; None when it is not whole, or not UTF-8."""
    end = at + 2 + int.from_bytes(body[at : at + 2], "big")
    if len(body) < at + 2 or end > len(body):
        return None
    try:
        body[at + 2 : end].decode()
    except UnicodeDecodeError:
        return None
    return end
