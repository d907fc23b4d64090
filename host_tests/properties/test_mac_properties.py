"""Device and bridge sign in the standard way: our own HMAC equals CPython's."""

import hmac
import importlib.util
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from phoneterm.core import mac


@pytest.fixture(scope="module")
def device_mac():
    """core.mac as it runs where there is no module hmac."""
    spec = importlib.util.spec_from_file_location("device_mac", mac.__file__)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "hmac", None)
        spec.loader.exec_module(module)
    assert module.compare_digest is None
    return module


@example(key=bytes(range(65)), message=b"a key longer than a block")
@given(key=st.binary(max_size=200), message=st.binary(max_size=700))
def test_both_sign_as_the_hmac_of_python_does(device_mac, key, message):
    expected = hmac.digest(key, message, "sha256")
    for module in (mac, device_mac):
        for _ in range(2):  # the second time with the cached key blocks
            assert module.hmac_sha256(key, message) == expected
            assert module.sign(key, message) == expected.hex()[:32]


@given(left=st.text(max_size=40), right=st.text(max_size=40))
def test_both_find_the_same_strings_equal(device_mac, left, right):
    left, right = (text.encode("utf-8", "replace").decode() for text in (left, right))
    assert device_mac.is_equal(left, right) == mac.is_equal(left, right) == (left == right)
    assert device_mac.is_equal(left, left) and mac.is_equal(left, left)


class CountedText(str):
    """A text that counts how often one of its characters was looked at."""

    looked_at = 0

    def __getitem__(self, index):
        self.looked_at += 1
        return super().__getitem__(index)


@pytest.mark.parametrize("place", [0, 20, 39])
def test_every_character_is_compared_wherever_the_difference_is(device_mac, place):
    """What leaves the comparison early tells by its time how much was right."""
    right = CountedText("0" * 40)
    wrong = CountedText("0" * place + "x" + "0" * (39 - place))
    assert not device_mac.is_equal(right, wrong)
    assert (right.looked_at, wrong.looked_at) == (40, 40)


def test_where_python_has_it_its_own_comparison_of_secrets_is_used():
    assert mac.compare_digest is hmac.compare_digest
