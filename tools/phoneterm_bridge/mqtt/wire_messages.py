"""The wire contract for a computer with memory to spare: the fields of each kind are parsed once and cached.

Does not define messages; `phoneterm.core.messages` does, and without this it would parse them for each message.
"""

from functools import cache

from phoneterm.core import messages


@cache
def _fields_of(kind: str) -> tuple:
    return tuple(messages.fields_of(kind))


def encode(kind: str, topic: str, key: bytes | None, fields: dict) -> bytes:
    """Return the payload of one message, as `messages.encode` does."""
    return messages.encode(kind, topic, key, fields, _fields_of(kind))


def decode(kind: str, topic: str, key: bytes | None, payload: bytes) -> "dict | messages.Rejected":
    """Return the known fields of a payload, or Rejected, as `messages.decode` does."""
    return messages.decode(kind, topic, key, payload, _fields_of(kind))
