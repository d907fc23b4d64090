"""The text form of AMI: bytes in, messages out; an action's name and headers in, bytes out.

Does no input or output and does not know what any message means.

A message is lines `Key: value`, each ended by CR LF, and an empty line. Keys are case-insensitive; a key may occur
more than once. Bytes that are not UTF-8 become U+FFFD; a line without a colon is skipped. A message with a line over
`MAX_LINE_BYTES` or more than `MAX_MESSAGE_BYTES` in all is dropped as a whole and counted, so memory stays bounded.
Source: Asterisk's main/manager.c. It cuts an incoming line at 1,024 bytes and reads the rest as the next header, so
`encode` refuses a longer line, just as it refuses CR, LF and NUL.
"""

from collections.abc import Iterable
from functools import lru_cache

MAX_LINE_BYTES = 16 * 1024
MAX_MESSAGE_BYTES = 128 * 1024
MAX_ACTION_LINE_BYTES = 1000

_FORBIDDEN = frozenset("\r\n\0")
_KEYS_REMEMBERED = 512  # there are a few dozen keys, and they come thousands of times a second


class Message:
    """One message from the PBX (or, at the PBX's end, one action)."""

    __slots__ = ("_first", "pairs")

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Keep the headers in order; if a key occurs twice, `get` returns the first."""
        self.pairs = tuple(pairs)
        self._first: dict[str, str] = {}
        for key, value in self.pairs:
            self._first.setdefault(_fold(key), value)

    def get(self, key: str, default: str = "") -> str:
        """Return the first value of a header, or `default`."""
        return self._first.get(_fold(key), default)

    def has(self, key: str) -> bool:
        """Say whether there is such a header."""
        return key.lower() in self._first

    def all(self, key: str) -> tuple[str, ...]:
        """Return all values of a header, in their order."""
        return tuple(value for name, value in self.pairs if name.lower() == key.lower())

    def __repr__(self) -> str:
        """Return the message's name without its values, which may be secret."""
        return f"Message({self.pairs[0] if self.pairs else 'empty'}, {len(self.pairs)} headers)"


class Decoder:
    """Turns a stream of bytes, cut anywhere, into messages. `dropped` counts messages over a limit."""

    def __init__(self) -> None:
        """Start at the beginning of a message."""
        self.dropped = 0
        self._rest = b""
        self._pairs: list[tuple[str, str]] = []
        self._message_bytes = 0
        self._is_too_long = False

    @property
    def line_bytes(self) -> int:
        """How many bytes of an unfinished line are kept."""
        return len(self._rest)

    @property
    def message_chars(self) -> int:
        """How many characters of an unfinished message are kept."""
        return sum(len(key) + len(value) for key, value in self._pairs)

    def feed(self, data: bytes) -> list[Message]:
        """Take the next bytes and return the messages they complete."""
        messages: list[Message] = []
        *lines, rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take_line(line.removesuffix(b"\r"), messages)
        if len(rest) > MAX_LINE_BYTES:
            self._is_too_long = True
            rest = rest[:1]  # keep one byte, so that the line's end is not taken for an empty line
        self._rest = rest
        return messages

    def _take_line(self, line: bytes, messages: list[Message]) -> None:
        if not line:
            self._end_message(messages)
            return
        self._message_bytes += len(line)
        if len(line) > MAX_LINE_BYTES or self._message_bytes > MAX_MESSAGE_BYTES:
            self._is_too_long = True
        if self._is_too_long:
            self._pairs.clear()
            return
        key, colon, value = line.partition(b":")
        if colon:
            self._pairs.append((_key(key), _text(value).strip()))

    def _end_message(self, messages: list[Message]) -> None:
        if self._is_too_long:
            self.dropped += 1
        elif self._pairs:
            messages.append(Message(self._pairs))
        self._pairs = []
        self._message_bytes = 0
        self._is_too_long = False


def encode(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Return the bytes of one message; ValueError names the header that could break out of its line."""
    headers = list(pairs)
    text = "".join([f"{key}: {value}\r\n" for key, value in headers])
    octets = text.encode()
    has_only_ends = text.count("\r") == text.count("\n") == len(headers) and "\0" not in text
    if not (has_only_ends and len(octets) <= MAX_ACTION_LINE_BYTES and all(_is_key(key) for key, _ in headers)):
        _check(headers)
    return octets + b"\r\n"


def _check(headers: list[tuple[str, str]]) -> None:
    """Raise ValueError for the first header that cannot be sent."""
    for key, value in headers:
        if not _is_key(key):
            raise ValueError(f"an AMI header cannot be called {key!r}")
        if not _FORBIDDEN.isdisjoint(value):
            raise ValueError(f"the AMI header {key} cannot hold a line end or NUL")
        size = len(f"{key}: {value}\r\n".encode())
        if size > MAX_ACTION_LINE_BYTES:
            raise ValueError(f"the AMI header {key} cannot be {size} bytes long")


@lru_cache(_KEYS_REMEMBERED)
def _is_key(key: str) -> bool:
    return bool(key) and ":" not in key and key == key.strip() and key.isascii() and _FORBIDDEN.isdisjoint(key)


@lru_cache(_KEYS_REMEMBERED)
def _fold(key: str) -> str:
    return key.lower()


@lru_cache(_KEYS_REMEMBERED)
def _key(raw: bytes) -> str:
    return _text(raw).strip()


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")
