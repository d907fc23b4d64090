"""The pauses between two looks at VoipNow's calls."""

from phoneterm_bridge.pbx.voipnow.rhythm import Rhythm


def test_the_pause_is_that_of_the_settings_shorter_for_a_result_and_longer_in_trouble():
    rhythm = Rhythm(1.0)
    assert (rhythm.pause_s(False), rhythm.pause_s(True)) == (1.0, 0.25)
    pauses = []
    for _ in range(7):
        rhythm.note_failure()
        pauses.append(rhythm.pause_s(True))
    assert pauses == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    rhythm.note_success()
    assert rhythm.pause_s(False) == 1.0


def test_voipnow_itself_says_how_long_to_wait():
    rhythm = Rhythm(1.0)
    rhythm.note_failure(45.0)
    assert rhythm.pause_s(True) == 45.0
    rhythm.note_failure()
    assert rhythm.pause_s(True) == 4.0
    rhythm.note_failure(0.0)
    assert rhythm.pause_s(False) == 1.0


def test_a_rate_that_is_slow_already_is_not_made_faster_by_trouble():
    rhythm = Rhythm(60.0)
    rhythm.note_failure()
    assert rhythm.pause_s(False) == 60.0


def test_events_are_followed_no_faster_than_lists_can_be_read():
    assert Rhythm(1.0).hint_pause_s(0.05) == 0.2
    assert Rhythm(1.0).hint_pause_s(4.0) == 4.0


def test_for_as_long_as_voipnow_says_it_is_not_to_be_asked_even_after_a_list_that_came_all_the_same():
    now_s = 100.0
    rhythm = Rhythm(1.0, lambda: now_s)
    assert rhythm.quiet_s == 0.0
    rhythm.note_failure(45.0)
    rhythm.note_failure(5.0)
    rhythm.note_success()
    assert rhythm.quiet_s == 45.0
    now_s = 146.0
    assert rhythm.quiet_s == 0.0
