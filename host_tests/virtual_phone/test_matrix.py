"""The matrix of contacts: what a driven row pulls low, ghosts included."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virtual_phone.matrix import ContactMatrix

CONTACTS = st.sets(st.tuples(st.integers(0, 3), st.integers(0, 3)))


def _matrix(*contacts):
    matrix = ContactMatrix()
    for row, column in contacts:
        matrix.set_closed(row, column, True)
    return matrix


def test_nothing_is_low_while_nothing_is_closed():
    assert _matrix().lows() == [0] * 16


def test_one_key_pulls_its_column_low_while_its_row_is_driven():
    lows = _matrix((1, 2)).lows()
    assert lows[0b0010] == 0b0100
    assert lows[0b1101] == 0
    assert lows[0b1111] == 0b0100


def test_two_keys_of_different_rows_and_columns_do_not_meet():
    lows = _matrix((0, 0), (3, 3)).lows()
    assert (lows[0b0001], lows[0b1000], lows[0b1001]) == (0b0001, 0b1000, 0b1001)


def test_three_corners_of_a_rectangle_show_the_fourth():
    lows = _matrix((0, 0), (0, 1), (2, 0)).lows()
    assert lows[0b0100] == 0b0011


def test_a_ghost_passes_through_a_chain_of_contacts():
    lows = _matrix((0, 0), (1, 0), (1, 1), (2, 1), (2, 2), (3, 2), (3, 3)).lows()
    assert lows[0b0001] == 0b1111


def test_opening_a_contact_ends_its_ghost():
    matrix = _matrix((0, 0), (0, 1), (2, 0))
    matrix.set_closed(0, 0, False)
    assert matrix.lows()[0b0100] == 0b0001


def test_a_contact_that_does_not_exist_is_our_mistake():
    with pytest.raises(ValueError, match="row 4"):
        _matrix((4, 0))


@given(CONTACTS, st.integers(0, 15))
def test_a_column_is_low_exactly_when_contacts_lead_to_it_from_a_driven_row(contacts, driven):
    low = {("row", row) for row in range(4) if driven >> row & 1}
    for _ in range(8):
        for row, column in contacts:
            if ("row", row) in low or ("column", column) in low:
                low |= {("row", row), ("column", column)}
    expected = sum(1 << column for column in range(4) if ("column", column) in low)
    assert _matrix(*contacts).lows()[driven] == expected
