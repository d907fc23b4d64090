"""The table of operations: core.operations. Runs on CPython and on MicroPython."""

from phoneterm.core import operations
from phoneterm.core.keymap import STANDARD_ROLES
from phoneterm.core.operations import ACTS_ON, ENDS, KEYED, NAME, PERMISSION, TAKES_NUMBER, TITLE

_NAME = "0123456789abcdefghijklmnopqrstuvwxyz-"


def rows():
    return [operations.find(name) for name in operations.names()]


def test_every_row_of_the_table_has_a_rule_and_a_name_for_the_wire():
    assert operations.names() == ("blind", "attended", "complete", "cancel", "swap")
    written = tuple(row.split("|")[NAME] for row in operations._TABLE.strip().split("\n"))
    assert operations.names() == written  # a row with a misspelt permission would not exist
    for row in rows():
        assert len(row) == TITLE + 1, row
        assert 1 <= len(row[NAME]) <= 16
        assert not row[NAME].strip(_NAME)
        assert row[TAKES_NUMBER] in ("", "number")
        assert all(" " <= letter <= "~" for letter in row[TITLE])
        assert row[PERMISSION] == operations.MULTI_USER_AWARE or row[PERMISSION] in operations.FLAGS


def test_no_two_operations_have_the_same_name_code_or_role():
    for column in (NAME, KEYED):
        words = [row[column] for row in rows()]
        assert sorted(set(words)) == sorted(words)


def test_a_code_begins_at_a_call_with_a_title_and_a_role_acts_on_a_transfer_without_a_number():
    for row in rows():
        if row[KEYED][0] in "#*":
            assert len(row[KEYED]) == 2
            assert row[KEYED][1] in "0123456789"
            assert (row[ACTS_ON], row[ENDS]) == ("call", "done")
            assert 1 <= len(row[TITLE]) <= 16
        else:
            assert getattr(STANDARD_ROLES, row[KEYED])
            assert row[KEYED] != "erase"
            assert (row[ACTS_ON], row[TAKES_NUMBER]) == ("transfer", "")
            assert row[ENDS] in ("done", "returned", "swapped")


def test_every_operation_has_words_for_people():
    for row in rows():
        asked, worked = operations.words_of(row[NAME])
        assert bool(asked) == (row[ACTS_ON] == "transfer")
        assert worked or row[ENDS] == "swapped"
        assert ("{number}" in worked) == (row[TAKES_NUMBER] == "number")
    assert operations.words_of("park") == ["", ""]


def test_operations_are_found_by_their_code_and_by_the_role_of_their_key():
    cases = (("#1", "blind"), ("*2", "attended"), ("commit", "complete"), ("cancel", "cancel"), ("swap", "swap"))
    for keyed, name in cases:
        assert operations.find(keyed, KEYED)[NAME] == name


def test_what_is_not_in_the_table_is_not_there():
    for word in ("park", "absent", "", "blin", "lind", "blind|blind", "done", "#1", "multi_user_aware", "Blind", "\n"):
        assert operations.find(word) is None, word
        assert operations.permission_of(word) is None, word
    for word in ("", "#2", "*1", "#", "1", "erase", "blind", "transfer"):
        assert operations.find(word, KEYED) is None, word
