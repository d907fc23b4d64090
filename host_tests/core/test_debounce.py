"""Timelines of samples through the debouncer: what it must report, and what it must not.

A timeline is a text with one letter for each sample of one key, "C" closed and "." open, 1 ms apart unless given.
"""

from phoneterm.core.debounce import INDEX, PRESSED, STUCK, WORKING, Debouncer, find_rectangles

_ONE = 0x0001  # row 0, column 0
_TWO = 0x0002  # row 0, column 1
_FOUR = 0x0010  # row 1, column 0
_FIVE = 0x0020  # row 1, column 1
_SIX = 0x0040  # row 1, column 2


def _name(change):
    if change & STUCK:
        kind = "stuck"
    elif change & WORKING:
        kind = "working"
    else:
        kind = "down" if change & PRESSED else "up"
    return kind + " " + str(change & INDEX)


def _feed(debouncer, contacts, elapsed_us=1000):
    count = debouncer.update(contacts, elapsed_us)
    return [_name(debouncer.changes[place]) for place in range(count)]


def _feed_many(debouncer, contacts, samples, elapsed_us=1000):
    changes = []
    for _ in range(samples):
        changes += _feed(debouncer, contacts, elapsed_us)
    return changes


def _play(timeline, elapsed_us=1000, key=_ONE):
    """Return [(sample number, change), ...] of one key's timeline."""
    debouncer = Debouncer()
    seen = []
    for number, letter in enumerate(timeline):
        for change in _feed(debouncer, key if letter == "C" else 0, elapsed_us):
            seen.append((number, change))
    return seen


def _held(contacts):
    """Return a debouncer that has just reported every key in `contacts`."""
    debouncer = Debouncer()
    done = 0
    for index in range(16):
        if contacts & (1 << index):
            done |= 1 << index
            _feed_many(debouncer, done, 3)
    assert debouncer.held == contacts
    return debouncer


def test_a_clean_press_is_reported_in_its_third_sample_and_its_release_after_20_ms():
    assert _play("CCCCC" + "." * 30) == [(2, "down 0"), (25, "up 0")]


def test_every_key_has_its_own_index():
    for index in range(16):
        assert _play("CCC", key=1 << index) == [(2, "down " + str(index))]


def test_a_bouncing_press_is_reported_once():
    assert _play("C.C..CC.C...CCCCCC" + "." * 30) == [(5, "down 0"), (38, "up 0")]


def test_an_18_ms_open_stretch_after_a_press_is_bounce():
    assert _play("CCC" + "." * 18 + "CCCCC") == [(2, "down 0")]


def test_an_18_ms_bounce_at_the_release_is_no_second_press():
    assert _play("CCCC" + "....C..CC...C....C" + "." * 25) == [(2, "down 0"), (42, "up 0")]


def test_a_spike_is_no_press():
    assert _play("C" + "." * 100) == []


def test_two_spikes_close_together_are_no_press():
    assert _play("CC" + "." * 100) == []
    assert _play("C.C" + "." * 100) == []


def test_spikes_that_come_one_by_one_never_add_up():
    assert _play(("C" + "." * 10) * 20) == []


def test_a_spike_sampled_many_times_counts_once():
    assert _play("CCC" + "." * 50, elapsed_us=200) == []
    assert _play("CCC" + "." * 50, elapsed_us=399) == []


def test_early_samples_make_a_press_wait_for_its_time():
    assert _play("CCCCCCCCCC", elapsed_us=400) == [(4, "down 0")]


def test_slow_samples_still_make_a_press():
    assert _play("CCC", elapsed_us=25000) == [(2, "down 0")]


def test_a_key_that_was_forgotten_can_be_pressed_afresh():
    assert _play("CC" + "." * 12 + "CCC") == [(16, "down 0")]


def test_a_spike_during_a_release_only_delays_it():
    assert _play("CCC" + "." * 15 + "C" + "." * 30) == [(2, "down 0"), (39, "up 0")]


def test_a_break_of_a_sample_in_a_held_key_is_nothing():
    assert _play("CCC" + "C.CC" * 20) == [(2, "down 0")]


def test_a_stall_does_not_pass_for_an_open_contact():
    debouncer = _held(_ONE)
    assert _feed(debouncer, 0) == []
    assert _feed(debouncer, 0, 500000) == []  # counts for 10 ms at most
    assert _feed_many(debouncer, 0, 9) == []
    assert _feed(debouncer, 0) == ["up 0"]


def test_an_open_sample_right_after_a_stall_is_only_the_first():
    debouncer = _held(_ONE)
    assert _feed(debouncer, 0, 500000) == []
    assert _feed(debouncer, _ONE) == []
    assert debouncer.held == _ONE


def test_keys_roll_over_in_the_order_of_their_presses():
    debouncer = Debouncer()
    changes = _feed_many(debouncer, _FIVE, 30)
    changes += _feed_many(debouncer, _FIVE | _ONE, 30)
    changes += _feed_many(debouncer, _ONE, 30)
    changes += _feed_many(debouncer, _ONE | _SIX, 30)
    changes += _feed_many(debouncer, _SIX, 30)
    changes += _feed_many(debouncer, 0, 30)
    assert changes == ["down 5", "down 0", "up 5", "down 6", "up 0", "up 6"]


def test_all_keys_of_one_row_can_be_down_together():
    debouncer = Debouncer()
    assert _feed_many(debouncer, 0x000F, 3) == ["down 0", "down 1", "down 2", "down 3"]


def test_rectangles_are_found_wherever_two_rows_share_two_columns():
    assert find_rectangles(_ONE | _TWO | _FOUR | _FIVE) == _ONE | _TWO | _FOUR | _FIVE
    assert find_rectangles(0x9009) == 0x9009
    assert find_rectangles(0x0707) == 0x0707
    assert find_rectangles(_ONE | _TWO | _FOUR) == 0
    assert find_rectangles(0x8421) == 0
    assert find_rectangles(0x0033 | 0x4000) == 0x0033


def test_neither_the_third_key_of_a_rectangle_nor_its_ghost_is_pressed():
    debouncer = _held(_ONE | _TWO)
    assert _feed_many(debouncer, _ONE | _TWO | _FOUR | _FIVE, 100) == []


def test_a_key_away_from_the_rectangle_goes_on_working():
    debouncer = _held(_ONE | _TWO)
    assert _feed_many(debouncer, _ONE | _TWO | _FOUR | _FIVE | 0x4000, 3) == ["down 14"]


def test_releases_pass_while_a_rectangle_stands():
    debouncer = _held(_ONE | _TWO | 0x4000)
    rectangle = _ONE | _TWO | _FOUR | _FIVE
    _feed_many(debouncer, rectangle | 0x4000, 10)
    assert _feed_many(debouncer, rectangle, 21) == ["up 14"]


def test_the_real_key_is_pressed_when_the_rectangle_falls_apart():
    debouncer = _held(_ONE | _TWO)
    _feed_many(debouncer, _ONE | _TWO | _FOUR | _FIVE, 50)
    changes = _feed_many(debouncer, _ONE | _FOUR, 30)
    assert changes == ["down 4", "up 1"]


def test_a_rectangle_takes_the_evidence_of_its_corners_away():
    debouncer = _held(_ONE | _TWO)
    _feed_many(debouncer, _ONE | _TWO | _FOUR, 2)
    assert _feed(debouncer, _ONE | _TWO | _FOUR | _FIVE) == []
    assert _feed_many(debouncer, _ONE | _TWO | _FOUR, 3) == []  # one sample on, the corner still counts as doubtful
    assert _feed(debouncer, _ONE | _TWO | _FOUR) == ["down 4"]


def test_a_key_held_for_30_s_is_reported_as_stuck_once():
    debouncer = _held(_ONE)
    assert _feed_many(debouncer, _ONE, 2999, 10000) == []
    assert _feed_many(debouncer, _ONE, 5000, 10000) == ["stuck 0"]
    assert debouncer.is_quiet()


def test_a_stall_while_a_key_is_released_does_not_make_it_stuck():
    debouncer = _held(_ONE)
    assert _feed(debouncer, 0) == []
    assert _feed_many(debouncer, 0, 2, 40000000) == ["up 0"]


def test_the_other_keys_work_beside_a_stuck_one():
    debouncer = _held(_ONE)
    _feed_many(debouncer, _ONE, 3000, 10000)
    for index in range(1, 16):
        both = _ONE | 1 << index
        assert _feed_many(debouncer, both, 3) == ["down " + str(index)]
        assert _feed_many(debouncer, _ONE, 21) == ["up " + str(index)]


def test_a_stuck_key_works_again_once_it_is_released():
    debouncer = _held(_ONE)
    _feed_many(debouncer, _ONE, 3000, 10000)
    assert _feed_many(debouncer, 0, 21) == ["up 0", "working 0"]
    assert _feed_many(debouncer, _ONE, 3) == ["down 0"]
    assert _feed_many(debouncer, _ONE, 2999, 10000) == []


def test_a_key_held_through_boot_is_ignored_until_it_is_released():
    debouncer = Debouncer()
    debouncer.ignore(_ONE)
    assert _feed_many(debouncer, _ONE, 100) == []
    assert _feed_many(debouncer, _ONE | _TWO, 3) == ["down 1"]
    assert _feed_many(debouncer, _TWO, 30) == []
    assert _feed_many(debouncer, _ONE | _TWO, 3) == ["down 0"]


def test_a_key_held_through_boot_can_be_stuck():
    debouncer = Debouncer()
    debouncer.ignore(_ONE)
    assert _feed_many(debouncer, _ONE, 3000, 10000) == ["stuck 0"]
    assert _feed_many(debouncer, 0, 21) == ["working 0"]


def test_it_is_quiet_only_when_nothing_is_down_or_settling():
    debouncer = Debouncer()
    assert debouncer.is_quiet()
    _feed(debouncer, _ONE)
    assert not debouncer.is_quiet()
    _feed_many(debouncer, 0, 9)
    assert not debouncer.is_quiet()
    _feed(debouncer, 0)
    assert debouncer.is_quiet()
    _feed_many(debouncer, _ONE, 3)
    assert not debouncer.is_quiet()
    _feed_many(debouncer, 0, 20)
    assert not debouncer.is_quiet()
    _feed(debouncer, 0)
    assert debouncer.is_quiet()


def test_a_stuck_key_that_begins_to_open_is_not_quiet():
    debouncer = _held(_ONE)
    _feed_many(debouncer, _ONE, 3000, 10000)
    _feed(debouncer, 0)
    assert not debouncer.is_quiet()
