"""Whose turn it is where each extension is asked for by itself."""

from phoneterm_bridge.pbx.voipnow.turns import Turns


def begin(*extensions):
    turns = Turns()
    turns.begin(extensions)
    return turns


def test_a_round_has_everybody_once():
    turns, had = begin("b", "a", "c"), []
    while turns.whose is not None:
        had.append(turns.whose)
        turns.note_read(turns.whose)
    assert had == ["a", "b", "c"]


def test_what_a_round_has_left_comes_first_in_the_next_one():
    turns = begin("a", "b", "c")
    turns.note_read("a")
    turns.begin(("a", "b", "c"))
    assert turns.whose == "b"


def test_one_that_fails_holds_up_no_other():
    turns = begin("a", "b")
    turns.note_failure("a", 10.0)
    turns.begin(("a", "b"))
    assert turns.whose == "b"


def test_it_is_known_who_has_failed_for_how_long():
    turns = begin("a", "b")
    turns.note_failure("a", 10.0)
    turns.note_failure("a", 20.0)
    assert turns.failing_since(9.0) == []
    assert turns.failing_since(10.0) == ["a"]
    turns.note_read("a")
    assert turns.failing_since(99.0) == []


def test_extensions_without_a_terminal_have_no_turn_any_more():
    turns = begin("a", "b")
    turns.note_failure("a", 10.0)
    turns.begin(("b", "c"))
    assert turns.whose == "b"
    assert turns.failing_since(99.0) == []
