"""HMAC-SHA256 (RFC 2104) and a comparison that takes equally long for every wrong value.

Does not know topics or messages. The two key blocks are cached for each key, because making them takes longer than
hashing; so on CPython this is faster than its own `hmac`. There are as many keys as terminals: one on a terminal.
CPython has the comparison in C; MicroPython has not, so it is written out here.
Keys and messages are bytes; a signature is 32 lower-case hex digits, the first half of the HMAC.
Tested against RFC 4231.
"""

import binascii
import hashlib

try:
    from hmac import compare_digest
except ImportError:
    compare_digest = None

SIGNATURE_CHARS = 32
_blocks = {}  # by key: the blocks in front of the message and of its hash


def hmac_sha256(key, *pieces):
    """Return the 32-byte HMAC-SHA256 of a message under `key` (both bytes); its pieces need not be put together."""
    sha256 = hashlib.sha256
    if key not in _blocks:
        block = sha256(key).digest() if len(key) > 64 else key
        block = block + bytes(64 - len(block))
        _blocks[key] = [bytes([octet ^ mask for octet in block]) for mask in (0x36, 0x5C)]
    inner, outer = _blocks[key]
    inner = sha256(inner)
    for piece in pieces:
        inner.update(piece)
    return sha256(outer + inner.digest()).digest()


def sign(key, *pieces):
    """Return the signature of a message, in pieces of bytes, under `key` (bytes) as 32 hex digits."""
    return binascii.hexlify(hmac_sha256(key, *pieces)[: SIGNATURE_CHARS // 2]).decode()


def is_equal(left, right):
    """Say whether two strings are equal, in a time that depends only on their lengths."""
    if compare_digest:
        return compare_digest(left.encode(), right.encode())
    if len(left) != len(right):
        return False
    difference = 0
    for index in range(len(left)):
        difference |= ord(left[index]) ^ ord(right[index])
    return difference == 0
