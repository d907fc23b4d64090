"""The legends of the keypad and their roles."""

from phoneterm.core.keymap import STANDARD_ROLES, Keymap


def _refusal(legends):
    try:
        Keymap(legends)
    except ValueError as error:
        return str(error)
    return None


def test_the_standard_keypad_is_read_row_by_row():
    keymap = Keymap()
    assert "".join([keymap.legend(index) for index in range(16)]) == "123A456B789C*0#D"


def test_a_board_may_have_other_legends():
    assert Keymap("0123456789ABCDEF").legend(10) == "A"


def test_the_standard_roles_are_commit_erase_cancel_and_swap():
    assert STANDARD_ROLES.commit == "A"
    assert STANDARD_ROLES.erase == "B"
    assert STANDARD_ROLES.cancel == "C"
    assert STANDARD_ROLES.swap == "D"


def test_a_keymap_needs_sixteen_different_legends_that_a_number_can_hold():
    for legends in ("123A456B789C*0#", "113A456B789C*0#D", "123A456B789C*0#d", "123A456B789C*0#DD"):
        expected = "a keymap is 16 different digits, capital letters, * or #, not " + repr(legends)
        assert _refusal(legends) == expected


def test_an_index_off_the_keypad_is_our_own_mistake():
    for index in (-1, 16):
        try:
            Keymap().legend(index)
        except ValueError as error:
            assert str(error) == "a key index is 0 to 15, not " + str(index)
        else:
            raise AssertionError("accepted " + str(index))
