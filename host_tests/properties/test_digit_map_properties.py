"""The digit map against a naive matcher: every alternative as a regular expression, every number tried in full."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from phoneterm.core import digit_map as maps
from phoneterm.core.digit_map_compiler import compile_map
from phoneterm.core.messages import MAX_NUMBER_CHARS, Rejected, is_number

_PLACE = st.one_of(
    st.sampled_from("0123459"),
    st.just("x"),
    st.sampled_from(("[1-3]", "[0-24]", "[59]", "[0-9]")),
)
_REPEATABLE = st.tuples(_PLACE, st.sampled_from(("", "", "", "."))).map("".join)
_ENDING = st.sampled_from(("", "", "T", "#"))
_PATTERN = st.tuples(st.lists(st.one_of(_REPEATABLE, st.just("*")), min_size=1, max_size=5).map("".join), _ENDING)
_MAP = st.lists(st.tuples(st.sampled_from(("a", "b", "c-1")), _PATTERN), min_size=1, max_size=4)
_NUMBER = st.text("01234569*", min_size=0, max_size=8)
_ANY_TEXT = st.text("abT:x.|[]-#*019 \u0660Z", max_size=40)


def _text(alternatives):
    return "|".join(f"{name}:{body}{ending}" for name, (body, ending) in alternatives)


def _expression(body):
    return re.compile(body.replace("*", r"\*").replace(".", "*").replace("x", "[0-9]"))


def _matching(alternatives, number):
    return [(name, ending) for name, (body, ending) in alternatives if _expression(body).fullmatch(number)]


@settings(max_examples=400, deadline=None)
@given(_MAP, st.lists(_NUMBER, min_size=1, max_size=12))
def test_a_map_knows_exactly_the_numbers_of_the_naive_matcher(alternatives, numbers):
    digit_map = compile_map(_text(alternatives))
    if isinstance(digit_map, Rejected):
        return
    for number in numbers:
        matching = _matching(alternatives, number)
        assert digit_map.class_of(number) == (matching[0][0] if matching else None)
        assert len({name for name, _ in matching}) <= 1
        assert not matching or is_number(number)


@settings(max_examples=400, deadline=None)
@given(_MAP, _NUMBER)
def test_verdicts_agree_with_the_naive_matcher_at_every_digit(alternatives, number):
    digit_map = compile_map(_text(alternatives))
    if isinstance(digit_map, Rejected):
        return
    state = digit_map.start()
    for length, symbol in enumerate(number, 1):
        state = digit_map.step(state, symbol)
        verdict = digit_map.verdict(state)
        endings = [ending for _, ending in _matching(alternatives, number[:length])]
        if verdict in (maps.NO, maps.PARTIAL):
            assert endings == []
        elif verdict == maps.COMMIT:
            assert set(endings) == {"#"}
        elif verdict == maps.COMPLETE:
            assert set(endings) == {""}
            assert all(digit_map.step(state, following) == 0 for following in "0123456789*#")
        else:
            assert "" in endings or "T" in endings
        assert bool(digit_map.step(state, "#")) == ("#" in endings)


@settings(max_examples=400, deadline=None)
@given(_MAP, _NUMBER)
def test_a_complete_number_never_hides_a_longer_one(alternatives, number):
    digit_map = compile_map(_text(alternatives))
    if isinstance(digit_map, Rejected) or not _matching(alternatives, number):
        return
    state = digit_map.start()
    for length, symbol in enumerate(number):
        assert digit_map.verdict(state) != maps.COMPLETE, number[:length]
        state = digit_map.step(state, symbol)


@settings(max_examples=400, deadline=None)
@given(_MAP)
def test_a_map_is_refused_only_with_a_position_in_it(alternatives):
    text = _text(alternatives)
    digit_map = compile_map(text)
    if isinstance(digit_map, Rejected):
        position = re.fullmatch(r"position (\d+): .+", digit_map.detail)
        assert position
        assert 1 <= int(position[1]) <= len(text) + 1


@settings(max_examples=500, deadline=None)
@given(_ANY_TEXT)
def test_no_text_makes_the_compiler_raise(text):
    digit_map = compile_map(text)
    assert isinstance(digit_map, (maps.DigitMap, Rejected))


@settings(max_examples=200, deadline=None)
@given(_MAP, st.text(max_size=MAX_NUMBER_CHARS + 2))
def test_no_text_makes_the_matcher_raise(alternatives, number):
    digit_map = compile_map(_text(alternatives))
    if not isinstance(digit_map, Rejected):
        digit_map.class_of(number)
