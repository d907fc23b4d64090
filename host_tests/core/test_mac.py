"""The signatures of core.mac, against the vectors of RFC 4231. Runs on CPython and on MicroPython."""

import binascii

from phoneterm.core import mac

_HI_THERE = b"Hi There"
_LARGE_KEY_DATA = b"This is a test using a larger than block-size key and a larger than block-size data. " + (
    b"The key needs to be hashed before being used by the HMAC algorithm."
)

# RFC 4231, sections 4.2 to 4.8 (4.6 truncates to 128 bits).
_VECTORS = (
    (b"\x0b" * 20, _HI_THERE, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (bytes(range(1, 26)), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    (b"\x0c" * 20, b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (b"\xaa" * 131, _LARGE_KEY_DATA, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
)


def test_hmac_gives_the_values_of_rfc_4231():
    for key, message, expected in _VECTORS:
        assert binascii.hexlify(mac.hmac_sha256(key, message)).decode().startswith(expected)


def test_every_key_length_around_a_block_gives_its_own_value():
    values = [mac.hmac_sha256(b"k" * length, b"message") for length in (0, 1, 63, 64, 65, 66)]
    assert len(set(values)) == len(values)


def test_a_signature_is_the_first_half_of_the_hmac_in_hex():
    signature = mac.sign(b"key", b"message")
    assert len(signature) == mac.SIGNATURE_CHARS
    assert signature == binascii.hexlify(mac.hmac_sha256(b"key", b"message")).decode()[:32]


def test_equal_strings_are_equal():
    assert mac.is_equal("", "")
    assert mac.is_equal("0a" * 16, "0a" * 16)


def test_strings_that_differ_anywhere_or_in_length_are_not_equal():
    right = "0123456789abcdef" * 2
    for index in range(len(right)):
        assert not mac.is_equal(right, right[:index] + "x" + right[index + 1 :])
    assert not mac.is_equal(right, right[:-1])
    assert not mac.is_equal(right, right + "0")
    assert not mac.is_equal("", "0")


class _Watched:
    """A text that counts how many of its characters are read."""

    def __init__(self, text):
        self._text = text
        self.looks = 0

    def __len__(self):
        return len(self._text)

    def __getitem__(self, index):
        self.looks += 1
        return self._text[index]


def test_the_devices_comparison_looks_at_every_character_wherever_the_first_wrong_one_is():
    right = "0123456789abcdef" * 2
    in_c, mac.compare_digest = mac.compare_digest, None
    try:
        for index in (0, 15, 31):
            wrong = _Watched(right[:index] + "x" + right[index + 1 :])
            assert not mac.is_equal(wrong, right)
            assert wrong.looks == len(right)
        assert mac.is_equal(_Watched(right), right)
    finally:
        mac.compare_digest = in_c
