"""Timelines of key sequences: core.collector. Runs on CPython and on MicroPython.

A script is a row of keys and waiting times ("600ms"); between two keys 100 ms pass. The expectation is every event
but the clicks, in order; events of a timer have their time.
"""

from phoneterm.core.collector import KEYED, OPENED, QUIET_MS, Collector, Dialled
from phoneterm.core.config import read_config
from phoneterm.core.keymap import STANDARD_ROLES, Roles
from phoneterm.core.messages import Rejected

_MAP = "internal:1xx|national:0[1-9]x.T|national:0[1-9]x.#|ext:7xx*xT|code:8x#"


def settings(roles=STANDARD_ROLES, digit_map=_MAP):
    config = read_config({"rev": 1, "digit_map": digit_map}, roles)
    assert not isinstance(config, Rejected), config
    return config


def name_of(event, collector):
    if event == OPENED:
        return "open " + collector.kind
    if isinstance(event, Dialled):
        return "dial " + event.kind + " " + event.number + " " + event.number_class
    assert isinstance(event, str)
    return event


def play(script, collector=None, step_ms=10):
    """Return the events of a script without clicks; events of a timer have their time in ms."""
    collector = collector or Collector(settings())
    now_ms = 0
    heard = []
    for word in script.split():
        is_wait = word.endswith("ms")
        if not is_wait:
            event = collector.on_press(word)
            if event is not None and event != KEYED:
                heard.append(name_of(event, collector))
            collector.on_release()
        for _ in range((int(word[:-2]) if is_wait else 100) // step_ms):
            now_ms += step_ms
            event = collector.on_time(step_ms)
            if event is not None:
                heard.append(str(now_ms) + " " + name_of(event, collector))
    return heard


def test_numbers_are_dialled_when_they_are_complete():
    timelines = (
        ("# 1 1 0 2", ["open blind", "dial blind 102 internal"]),
        ("* 2 1 0 2", ["open attended", "dial attended 102 internal"]),
        ("# 1 0 3 0 A", ["open blind", "dial blind 030 national"]),
        ("# 1 0 3 0 #", ["open blind", "dial blind 030 national"]),
        ("# 1 0 3 0 4000ms", ["open blind", "3400 dial blind 030 national"]),
        ("* 2 7 0 3 * 2 A", ["open attended", "dial attended 703*2 ext"]),
        ("# 1 8 5 #", ["open blind", "dial blind 85 code"]),
        ("# 1 8 5 A", ["open blind", "dial blind 85 code"]),
    )
    for script, expected in timelines:
        assert play(script) == expected, (script, play(script))


def test_every_odd_input_has_its_end():
    timelines = (
        ("# 3000ms", ["2500 code-time"]),
        ("* 3000ms", ["2500 code-time"]),
        ("# *", ["no-such-code"]),
        ("# #", ["no-such-code"]),
        ("* #", ["no-such-code"]),
        ("# 2", ["no-such-code"]),
        ("* 1", ["no-such-code"]),
        ("# A", ["no-such-code"]),
        ("# D", ["no-such-code"]),
        ("# B", ["cancel"]),
        ("# C", ["cancel"]),
        ("# 1 4000ms", ["open blind", "3100 no-number"]),
        ("# 1 #", ["open blind", "wrong-key"]),
        ("# 1 *", ["open blind", "wrong-key"]),
        ("# 1 A", ["open blind", "no-number"]),
        ("# 1 B", ["open blind", "cancel"]),
        ("# 1 C", ["open blind", "cancel"]),
        ("# 1 D", ["open blind", "wrong-key"]),
        ("# 1 1 D", ["open blind", "wrong-key"]),
        ("# 1 1 0 #", ["open blind", "wrong-key"]),
        ("# 1 1 0 *", ["open blind", "wrong-key"]),
        ("# 1 1 0 A", ["open blind", "digits-missing"]),
        ("# 1 1 0 C", ["open blind", "cancel"]),
        ("# 1 1 0 4000ms", ["open blind", "3300 digits-missing"]),
        ("# 1 8 5 4000ms", ["open blind", "3300 digits-missing"]),
        ("# 1 9", ["open blind", "no-such-number"]),
        ("# 1 1 Z", ["open blind", "wrong-key"]),
        ("# 1 " + "0 " + "5 " * 32, ["open blind", "number-too-long"]),
        ("# 1 " + "0 " + "5 " * 31 + "A", ["open blind", "dial blind 0" + "5" * 31 + " national"]),
        ("# 1 " + "0 " + "5 " * 31 + "#", ["open blind", "dial blind 0" + "5" * 31 + " national"]),
        ("# 1 0 " + "5 2500ms " * 8, ["open blind", "20000 too-slow"]),
    )
    for script, expected in timelines:
        assert play(script) == expected, (script, play(script))


def test_keys_that_begin_no_sequence_mean_nothing():
    for key in "0123456789ABCD":
        collector = Collector(settings())
        assert collector.on_press(key) is None
        assert not collector.is_open


def test_erasing_takes_back_one_digit_and_the_timer_begins_again():
    timelines = (
        ("# 1 1 9 B 0 2", ["open blind", "dial blind 102 internal"]),
        ("# 1 1 B B", ["open blind", "cancel"]),
        ("# 1 1 B 0 3 A", ["open blind", "dial blind 03 national"]),
        ("# 1 7 0 3 * B B 4 * 5 A", ["open blind", "dial blind 704*5 ext"]),
        ("# 1 1 0 2800ms B 2800ms 4000ms", ["open blind", "6200 digits-missing"]),
    )
    for script, expected in timelines:
        assert play(script) == expected, (script, play(script))


def test_keys_after_the_end_belong_to_the_ended_sequence_until_it_is_quiet():
    timelines = (
        ("# 1 1 0 2 # # 1 1 0 3", ["open blind", "dial blind 102 internal"]),
        ("# 1 1 0 2 * 2 5 A 500ms * 2", ["open blind", "dial blind 102 internal"]),
        ("# 1 9 1 0 2 #", ["open blind", "no-such-number"]),
        ("# 3 # 1 1 0 2", ["no-such-code"]),
        ("# C # 1", ["cancel"]),
        ("# 1 1 0 2 700ms # 1", ["open blind", "dial blind 102 internal", "open blind"]),
        ("# 1 1 0 2 # 700ms # 1", ["open blind", "dial blind 102 internal", "open blind"]),
        ("# 1 9 700ms * 2 1 0 1", ["open blind", "no-such-number", "open attended", "dial attended 101 internal"]),
    )
    for script, expected in timelines:
        assert play(script) == expected, (script, play(script))


def test_a_key_that_is_held_keeps_the_quiet_away_until_it_is_released():
    collector = Collector(settings())
    play("# 9", collector)
    assert collector.is_quiet
    collector.on_time(QUIET_MS - 150)
    collector.on_release()
    collector.on_time(QUIET_MS - 1)
    assert collector.is_quiet
    collector.on_time(1)
    assert not collector.is_quiet


def test_a_release_while_a_sequence_is_open_changes_no_timer():
    collector = Collector(settings())
    collector.on_press("#")
    collector.on_time(2000)
    collector.on_release()
    assert collector.on_time(499) is None
    assert collector.on_time(1) == "code-time"


def test_a_tainted_sequence_is_refused_and_never_dialled():
    for keys in ("#", "#1", "#11", "#110"):
        collector = Collector(settings())
        for key in keys:
            collector.on_press(key)
        assert collector.close("key-it-again") == "key-it-again"
        assert not collector.is_open
        assert play("2 A 3000ms", collector) == []


def test_without_an_open_sequence_there_is_nothing_to_close():
    collector = Collector(settings())
    assert collector.close("hook") is None


def test_closing_says_why():
    collector = Collector(settings())
    play("# 1 1", collector)
    assert collector.close("hook") == "hook"
    assert not collector.is_open
    assert collector.kind is None


def test_progress_tells_the_number_so_far():
    collector = Collector(settings())
    told = [(collector.on_press(key), collector.keyed) for key in "#103B"]
    assert told == [(KEYED, ""), (OPENED, ""), (KEYED, "0"), (KEYED, "03"), (KEYED, "0")]
    assert collector.possible_classes() == ["national", "national"]


def test_a_number_may_begin_with_a_star_and_the_codes_stay_what_they_are():
    digit_map = "internal:1xx|mailbox:*1xx"
    for script, heard in (
        ("# 1 * 1 0 2", ["open blind", "dial blind *102 mailbox"]),
        ("* 2 * 1 0 2", ["open attended", "dial attended *102 mailbox"]),
        ("* 2 1 0 2", ["open attended", "dial attended 102 internal"]),
        ("# 1 * 2", ["open blind", "no-such-number"]),
        ("# 1 * *", ["open blind", "wrong-key"]),
    ):
        assert play(script, Collector(settings(digit_map=digit_map))) == heard


def test_timers_come_from_the_settings():
    document = {"rev": 1, "digit_map": _MAP, "code_ms": 600, "digit_ms": 900, "total_ms": 2000}
    config = read_config(document, STANDARD_ROLES)
    assert play("# 3000ms", Collector(config)) == ["600 code-time"]
    assert play("# 1 0 3 2000ms", Collector(config)) == ["open blind", "1200 dial blind 03 national"]
    assert play("# 1 0 3 700ms 4 700ms 5 700ms", Collector(config)) == ["open blind", "2000 too-slow"]


def test_roles_can_be_on_other_keys_even_those_of_a_twelve_key_pad():
    roles = Roles("#", "*", "C", "D")
    collector = Collector(settings(roles, "internal:1xx|national:0[1-9]x.T"))
    assert play("# 1 1 5 * 0 2", collector) == ["open blind", "dial blind 102 internal"]
    play("1000ms", collector)
    assert play("* 2 0 3 #", collector) == ["open attended", "dial attended 03 national"]


def test_settings_change_between_sequences_only():
    collector = Collector(settings())
    collector.on_press("#")
    try:
        collector.configure(settings())
    except ValueError as error:
        assert "open" in str(error)
    else:
        raise AssertionError("no ValueError")
    collector.close("test")
    collector.configure(settings(digit_map="two:2xT"))
    assert play("1000ms # 1 2 2 A", collector) == ["open blind", "dial blind 22 two"]
