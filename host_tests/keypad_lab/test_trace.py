"""Reading and writing traces: what is accepted, and what is said about the rest."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keypad_lab.trace import HEADER, TraceError, TraceRow, read_rows, write_rows


def _read(text):
    return list(read_rows(io.StringIO(text)))


def _complaint(*lines):
    with pytest.raises(TraceError) as caught:
        _read("\n".join([HEADER, *lines]))
    return str(caught.value)


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 0xFFFF), st.integers(0, 10**6))))
def test_what_is_written_is_read_back(values):
    rows = [TraceRow(*value) for value in sorted(values)]
    file = io.StringIO()
    assert write_rows(file, rows) == len(rows)
    assert _read(file.getvalue()) == rows


def test_contacts_may_be_decimal_or_hexadecimal():
    assert _read(f"{HEADER}\n0,65535,0\n1,0xFFff,0\n2,0X1,0\n") == [
        TraceRow(0, 65535),
        TraceRow(1, 65535),
        TraceRow(2, 1),
    ]


def test_dos_newlines_spaces_quotes_blank_lines_and_a_byte_order_mark_do_no_harm():
    text = '\ufeff"time_us", contacts, stall_us\r\n 5 ,"1", 0\r\n\r\n7,0,0\r\n\r\n'
    assert _read(text) == [TraceRow(5, 1), TraceRow(7, 0)]


def test_the_last_line_needs_no_newline_and_a_trace_may_have_no_rows():
    assert _read(f"{HEADER}\n5,1,0") == [TraceRow(5, 1)]
    assert _read(HEADER) == []


def test_two_rows_may_have_the_same_time():
    assert len(_read(f"{HEADER}\n5,1,0\n5,0,0\n")) == 2


@pytest.mark.parametrize("text", ["", "\n", "0,0,0\n", "time_ms,contacts,stall_us\n"])
def test_a_trace_without_its_header_is_refused(text):
    with pytest.raises(TraceError, match=f"Line 1 must be the header {HEADER}"):
        _read(text)


def test_time_that_goes_back_is_named_with_its_line():
    said = "Line 3: time_us goes back from 10 to 9; put the rows in order of time."
    assert _complaint("10,0,0", "9,0,0") == said


@pytest.mark.parametrize("line", ["1,2", "1,2,3,4", "nonsense"])
def test_a_wrong_number_of_fields_is_named_with_its_line(line):
    said = f"Line 2 has {line.count(',') + 1} fields, not 3; write it as {HEADER}."
    assert _complaint(line) == said


@pytest.mark.parametrize("text", ["-1", "1.5", "", "1e3", "1_0", "٣", "+1", str(1 << 63)])
def test_a_time_that_is_no_whole_number_is_named_with_its_line(text):
    assert _complaint("0,0,0", f"{text},0,0").startswith(f"Line 3: time_us {text!r} must be a whole number")


@pytest.mark.parametrize("text", ["65536", "0x10000", "-1", "0x", "0x_1", "0xg", "", "b1", "1.0"])
def test_contacts_that_are_no_16_bits_are_named_with_their_line(text):
    assert _complaint(f"0,{text},0") == f"Line 2: contacts {text!r} must be 0 to 65535, or 0x0 to 0xffff."


@pytest.mark.parametrize("text", ["-1", "", "x"])
def test_a_stall_that_is_no_time_is_named_with_its_line(text):
    assert _complaint(f"0,0,{text}").startswith(f"Line 2: stall_us {text!r} must be a whole number")


def test_an_endless_line_is_refused_without_reading_it_all():
    file = io.StringIO(HEADER + "\n" + "1" * 1_000_000)
    with pytest.raises(TraceError, match="Line 2 is longer than 200 characters"):
        list(read_rows(file))
    assert file.tell() < 1000
