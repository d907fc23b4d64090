"""The messages between chip and phone."""

import pytest
from virtual_phone import frames
from virtual_phone.nvs_image import NvsImage


def test_every_frame_has_eighteen_bytes():
    for frame in (frames.matrix_frame(range(16)), frames.hook_frame(True), frames.wifi_frame(1010)):
        assert len(frame) == 18
        assert frame.endswith(b"\n")
    assert frames.matrix_frame(range(16)) == b"M0123456789abcdef\n"


def test_reports_are_named_and_split():
    assert frames.parse_report(b"DReady\tto go\n") == ("display", ("Ready", "to go"))
    assert frames.parse_report(b"DReady\0\0\t\0\n") == ("display", ("Ready", ""))


@pytest.mark.parametrize(
    "line", [b"", b"\n", b"Xwhat\n", b"L\n", b"Ton\n", b"Done line\n", b"\xff\xfe\n", b"Nns\tkey\n"]
)
def test_a_line_that_is_not_right_is_no_report(line):
    assert frames.parse_report(line) is None


def test_what_is_not_hex_does_not_become_a_value():
    image = NvsImage({"tid": "desk-101"})
    image.set_hex("phoneterm", "tid", "zz")
    image.erase("phoneterm", "never-there")
    assert image.environment() == {"NVS.phoneterm.tid": b"desk-101".hex()}
