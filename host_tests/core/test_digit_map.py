"""Digit maps: valid maps, refused maps and why, and how a number grows. Runs on CPython and on MicroPython."""

from phoneterm.core.digit_map_compiler import DEFAULT_MAP, compile_map
from phoneterm.core.messages import Rejected


def verdicts(text, keyed):
    """Return the verdict after each key."""
    digit_map = compile_map(text)
    state = digit_map.start()
    found = []
    for symbol in keyed:
        state = digit_map.step(state, symbol)
        found.append(digit_map.verdict(state))
    return found


def complaint(text, taken=""):
    """Return the position and the sentence of a refused map."""
    rejected = compile_map(text, taken)
    assert isinstance(rejected, Rejected), text
    assert rejected.reason == "digit-map"
    assert rejected.detail.startswith("position ")
    position, _, sentence = rejected.detail[len("position ") :].partition(": ")
    return int(position), sentence


def test_an_internal_number_of_the_default_map_is_complete_at_the_third_digit():
    assert verdicts(DEFAULT_MAP, "102") == ["partial", "partial", "complete"]


def test_an_open_number_waits_for_the_timer_and_the_hash_key_ends_it():
    assert verdicts(DEFAULT_MAP, "0123#") == ["partial", "timer", "timer", "timer", "complete"]
    assert verdicts(DEFAULT_MAP, "0049#") == ["partial", "partial", "timer", "timer", "complete"]


def test_a_key_that_fits_no_number_leads_nowhere_and_stays_there():
    assert verdicts(DEFAULT_MAP, "2") == ["no"]
    assert verdicts(DEFAULT_MAP, "1021") == ["partial", "partial", "complete", "no"]
    assert verdicts(DEFAULT_MAP, "2102") == ["no"] * 4
    assert verdicts(DEFAULT_MAP, "#") == ["no"]
    assert verdicts(DEFAULT_MAP, "1*") == ["partial", "no"]


def test_verdicts_of_each_kind_of_ending():
    cases = (
        ("a:12", "12", "complete"),
        ("a:12T", "12", "timer"),
        ("a:12#", "12", "commit"),
        ("a:12#", "12#", "complete"),
        ("a:1x.", "1", "timer"),
        ("a:1x.", "1234567", "timer"),
        ("a:1x.9", "129", "timer"),
        ("a:1[2-4].9", "1239", "complete"),
        ("a:1[2-4].9", "123", "partial"),
        ("a:1x.#", "12", "commit"),
        ("a:1x.T|a:1x.#", "12", "timer"),
        ("a:1x.T|a:1x.#", "12#", "complete"),
        ("a:1x.1x.T", "1", "partial"),
        ("a:1x.1x.T", "11", "timer"),
        ("a:1x.x.2", "1", "partial"),
        ("a:1x.x.2", "12", "timer"),
        ("a:0003*xxx", "0003*21", "partial"),
        ("a:0003*xxx", "0003*210", "complete"),
        ("a:[0-24]8", "48", "complete"),
        ("a:[0-24]8", "38", "no"),
        ("a:[5]", "5", "complete"),
        ("a:1xt", "19", "timer"),
        ("a:1X", "19", "complete"),
        ("a:12|a:13xT|b:2", "13", "partial"),
    )
    for text, keyed, expected in cases:
        assert verdicts(text, keyed)[-1] == expected, (text, keyed)


def test_the_class_of_a_whole_number():
    cases = (
        ("102", "internal"), ("10", None), ("1023", None), ("0123", "national"), ("00", None), ("01", "national"),
        ("0049301234567", "international"), ("", None), ("102#", None), ("0123#", None), ("1a2", None), ("+49", None),
        ("0" + "1" * 31, "national"), ("0" + "1" * 32, None), ("\u0661\u0660\u0662", None), ("1 2", None),
    )  # fmt: skip
    digit_map = compile_map(DEFAULT_MAP)
    for number, expected in cases:
        assert digit_map.class_of(number) == expected, number
    assert compile_map("ext:0003*xxx").class_of("0003*210") == "ext"
    assert compile_map("open:00x.#").class_of("0049") == "open"


def test_the_classes_that_are_still_possible():
    digit_map = compile_map("internal:1xx|national:0[1-9]x.T|international:00x.T")
    start = digit_map.start()
    assert digit_map.possible_classes(start) == ["internal", "national", "international"]
    assert digit_map.possible_classes(digit_map.step(start, "0")) == ["national", "international"]
    assert digit_map.possible_classes(digit_map.step(start, "1")) == ["internal"]
    assert digit_map.possible_classes(0) == []
    assert digit_map.class_at(start) is None


def test_whether_a_map_ends_numbers_with_the_hash_key():
    assert compile_map(DEFAULT_MAP).ends_with_hash
    assert not compile_map("a:1xx").ends_with_hash


def test_spaces_around_alternatives_do_not_matter_but_are_counted():
    digit_map = compile_map(" a:1xx | b:2xx ")
    assert digit_map.class_of("299") == "b"
    assert complaint("a:1xx | b:q")[0] == 11


def test_what_cannot_be_read_is_refused_at_its_position():
    cases = (
        ("", 1, "the map is empty"),
        ("1xx", 1, "this alternative has no class; write for example internal:1xx"),
        ("a:1xx|2xx", 7, "this alternative has no class; write for example internal:1xx"),
        ("a:1xx|", 7, "this alternative has no class; write for example internal:1xx"),
        (":1xx", 1, "a class is 1 to 16 of a-z, 0-9 and -"),
        ("abcdefghijklmnopq:1", 1, "a class is 1 to 16 of a-z, 0-9 and -"),
        ("aBc:1xx", 1, "a class is 1 to 16 of a-z, 0-9 and -"),
        ("a b:1xx", 1, "a class is 1 to 16 of a-z, 0-9 and -"),
        ("a:", 3, "class a has no digits"),
        ("a:T", 3, "class a has no digits"),
        ("a:1xx|b:#", 9, "class b has no digits"),
        ("a:1T2", 4, "T can only be the last character of an alternative"),
        ("a:1TT", 4, "T can only be the last character of an alternative"),
        ("a:1#2", 4, "# can only be the last character of an alternative"),
        ("a:1##", 4, "# can only be the last character of an alternative"),
        ("a:1#T", 4, "# can only be the last character of an alternative"),
        ("a:.1", 3, "there is no digit before the . that it could repeat"),
        ("a:1..", 5, "there is no digit before the . that it could repeat"),
        ("a:1*.2", 5, "there is no digit before the . that it could repeat"),
        ("a:1#.", 4, "# can only be the last character of an alternative"),
        ("a:1A", 4, "'A' is not a digit, x, [, *, ., T or #"),
        ("a:1d", 4, "'d' is not a digit, x, [, *, ., T or #"),
        ("a:1q", 4, "'q' is not a digit, x, [, *, ., T or #"),
        ("a:1]", 4, "']' is not a digit, x, [, *, ., T or #"),
        ("a:1:2", 4, "':' is not a digit, x, [, *, ., T or #"),
        ("a:[12", 3, "this [ has no ]"),
        ("a:[", 3, "this [ has no ]"),
        ("a:[]", 3, "there is no digit between [ and ]"),
        ("a:[1a]", 5, "only digits and - may stand between [ and ]"),
        ("a:[-3]", 4, "only digits and - may stand between [ and ]"),
        ("a:[1-]", 6, "only digits and - may stand between [ and ]"),
        ("a:[1*]", 5, "only digits and - may stand between [ and ]"),
        ("a:[5-3]", 4, "this range runs backwards"),
        ("a:" + "1" * 33, 3, "a number has at most 32 digits"),
        ("a:" + "1" * 239, 241, "a map has at most 240 characters"),
    )
    for text, position, sentence in cases:
        assert complaint(text) == (position, sentence), (text, complaint(text))


def test_a_number_of_thirty_two_digits_is_the_longest():
    assert compile_map("a:" + "1" * 32).class_of("1" * 32) == "a"
    assert compile_map("a:" + "1" * 32 + "#").class_of("1" * 32) == "a"


def test_numbers_that_belong_to_two_classes_are_refused():
    assert complaint("a:1xx|b:10x") == (7, "100 is both a and b")
    assert complaint("a:0x.T|b:00x.T") == (8, "00 is both a and b")
    assert complaint("a:1x#|b:10T") == (7, "10 is both a and b")
    assert complaint("c:5|a:12.3T|b:1[2-4]3T") == (13, "123 is both a and b")


def test_numbers_of_one_class_may_overlap():
    assert compile_map("a:1xx|a:10x").class_of("105") == "a"
    assert compile_map("a:1x.T|a:12x.T").class_of("12") == "a"


def test_an_alternative_that_a_complete_number_hides_is_refused():
    cases = (
        ("a:1xx|b:1xxx", 7, "100"), ("b:1xxx|a:1xx", 1, "100"), ("a:1xx|a:[12]xxx", 7, "100"),
        ("a:1xx|a:1xxT", 7, "100"), ("a:1xx|a:1xx#", 7, "100"), ("a:1xx|a:1x.", 7, "100"), ("a:12|b:12*3", 6, "12"),
    )  # fmt: skip
    for text, position, number in cases:
        expected = (position, "this can never be reached, because " + number + " is already complete")
        assert complaint(text) == expected, (text, complaint(text))


def test_a_longer_number_is_reached_where_the_shorter_one_waits():
    for text in ("a:1xxT|b:1xxx", "a:1xx#|b:1xxx", "a:1x.T|a:1xxx#"):
        assert not isinstance(compile_map(text), Rejected), text


def test_a_number_without_digits_is_refused():
    for text in ("a:x.", "a:x.T", "a:1.2.", "a:x.#"):
        assert complaint(text) == (1, "this accepts an empty number; write xx. for one digit or more")


def test_a_star_stands_before_a_digit_only():
    for text in ("a:**1", "a:1**2", "a:1*2.*3"):
        assert complaint(text) == (1, "a * must stand before a digit")
    for text in ("a:1*", "a:1*2.", "a:1*2.T", "a:1*#"):
        assert complaint(text) == (1, "a number cannot end with *")
    assert compile_map("a:1*2*3").class_of("1*2*3") == "a"
    assert compile_map("a:*1xx|b:1xx").class_of("*102") == "a"


def test_a_legend_with_another_use_cannot_be_part_of_a_number():
    assert complaint("a:1xx|b:1*2", "BCD*") == (10, "key * has another use and cannot be part of a number")
    assert complaint("a:1x#", "#") == (5, "key # has another use and cannot be part of a number")
    assert complaint("a:1x", "5") == (4, "key 5 has another use and cannot be part of a number")
    assert complaint("a:[0-9]", "5") == (3, "key 5 has another use and cannot be part of a number")
    assert compile_map("a:1[0-46-9]", "5ABCD").class_of("16") == "a"


def test_a_map_that_would_need_too_much_memory_is_refused():
    assert complaint("a:1x.1xxxxxxxxxxxxx") == (1, "the map is too intricate; let fewer alternatives overlap")


def test_a_map_of_many_alternatives_is_compiled():
    text = "|".join(["class-" + digit + ":" + digit + "[1-5]xx" for digit in "123456789"]) + "|out:0xx.T|out:0xx.#"
    digit_map = compile_map(text)
    assert digit_map.class_of("7300") == "class-7"
    assert digit_map.class_of("012") == "out"


def test_no_symbol_but_those_of_a_number_is_a_step():
    digit_map = compile_map("a:1xx")
    try:
        digit_map.step(digit_map.start(), "A")
    except ValueError:
        return
    raise AssertionError("no ValueError")
