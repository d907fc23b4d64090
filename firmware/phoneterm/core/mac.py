"""HMAC-SHA256 (RFC 2104) and a comparison that takes equally long for every wrong value.

Does not know topics or messages. CPython has both in C, and a bridge of a thousand terminals wants them; MicroPython
has neither, and what is written out here is the same.
Keys and messages are bytes; a signature is 32 lower-case hex digits, the first half of the HMAC.
Tested against RFC 4231.
"""

import binascii
import hashlib

try:
    from hmac import compare_digest, digest
except ImportError:
    digest = None

_BLOCK_BYTES = 64
SIGNATURE_CHARS = 32


def hmac_sha256(key, message):
    """Return the 32-byte HMAC-SHA256 of `message` under `key` (both bytes)."""
    if digest:
        return digest(key, message, "sha256")
    if len(key) > _BLOCK_BYTES:
        key = hashlib.sha256(key).digest()
    key = key + bytes(_BLOCK_BYTES - len(key))
    return _masked_sha256(key, 0x5C, _masked_sha256(key, 0x36, message))


def _masked_sha256(key, mask, message):
    return hashlib.sha256(bytes([octet ^ mask for octet in key]) + message).digest()


def sign(key, message):
    """Return the signature of `message` (bytes) under `key` (bytes) as 32 hex digits."""
    return binascii.hexlify(hmac_sha256(key, message)[: SIGNATURE_CHARS // 2]).decode()


def is_equal(left, right):
    """Say whether two strings are equal, in a time that depends on their lengths alone."""
    if digest:
        return compare_digest(left.encode(), right.encode())
    if len(left) != len(right):
        return False
    difference = 0
    for index in range(len(left)):
        difference |= ord(left[index]) ^ ord(right[index])
    return difference == 0
