"""The table of causes: it fits display, lamp and log. Runs on CPython and on MicroPython."""

from phoneterm.core import causes, signals

ROWS = [row.split("|") for row in causes.TABLE.strip().split("\n")]
CAUSES = [getattr(causes, name) for name in dir(causes) if isinstance(getattr(causes, name), int) and name[0] != "_"]


def test_every_cause_has_one_row():
    assert sorted(CAUSES) == [int(number) for number, *_ in ROWS]


def test_both_lines_fit_the_display_and_no_two_causes_show_the_same():
    shown = [causes.describe(cause)[:2] for cause in CAUSES]
    for line1, line2 in shown:
        assert 0 < len(line1) <= 16
        assert 0 < len(line2) <= 16
    assert len(set(shown)) == len(CAUSES)


def test_the_log_has_room_for_the_whole_sentence():
    for cause in CAUSES:
        text = causes.describe(cause)[2]
        assert len(text) <= 120
        assert text.endswith(".")


def test_the_lamp_flashes_long_for_the_tens_and_short_for_the_units():
    assert causes.lamp_steps(21) == (500, 250, 500, 250, 120, 1500)
    assert causes.lamp_steps(13) == (500, 250, 120, 280, 120, 280, 120, 1500)


def test_no_code_looks_like_a_signal_or_another_code():
    codes = [causes.lamp_steps(cause) for cause in CAUSES]
    assert len(set(codes)) == len(codes)
    assert not set(codes) & {signals.lamp(name).steps for name in signals.NAMES}


def test_what_is_no_cause_is_a_mistake():
    for cause in (0, 1, 14, 99, 221):
        try:
            causes.describe(cause)
        except ValueError as error:
            assert str(cause) in str(error)
        else:
            raise AssertionError("no ValueError")
