"""The table of signals: distinct for eye or ear alone, in every country. Runs on CPython and on MicroPython."""

from phoneterm.core import signals

_NAMES = (
    "starting", "no-link", "ready", "key", "open", "accepted", "consulting", "done", "refused-permission",
    "refused-number", "unsupported", "no-call", "failed", "returned", "unknown", "keypad-fault", "identify",
)  # fmt: skip
_SILENT = ("starting", "ready")


def test_there_is_one_row_for_each_signal():
    assert sorted(_NAMES) == sorted(signals.NAMES)


def test_no_two_lamp_patterns_are_the_same():
    patterns = [tuple(signals.lamp(name).steps) for name in signals.NAMES]
    assert len(set(patterns)) == len(patterns)


def test_no_two_tones_are_the_same_in_any_country():
    for country in signals.COUNTRIES:
        heard = [signals.tone(name, country).steps for name in signals.NAMES if name not in _SILENT]
        assert all(heard), country
        assert len(set(heard)) == len(heard), country


def test_a_device_that_works_or_starts_is_silent():
    for name in _SILENT:
        assert signals.tone(name, "us").steps == ()


def test_patterns_are_made_of_times_that_can_be_played():
    for name in signals.NAMES:
        lamp = signals.lamp(name)
        assert len(lamp.steps) % 2 == 0
        assert sum(lamp.steps) >= 40
        assert all(0 <= ms <= 2000 for ms in lamp.steps)
        for country in signals.COUNTRIES:
            for frequency1, frequency2, ms in signals.tone(name, country).steps:
                assert 0 <= frequency1 <= 4000
                assert 0 <= frequency2 <= 4000
                assert 10 <= ms <= 2500


def test_a_standing_lamp_goes_on_for_ever_and_a_momentary_one_ends():
    for name in signals.NAMES:
        assert (signals.lamp(name).repeats == 0) == signals.is_standing(name)
        assert signals.tone(name, "us").repeats > 0 or name in _SILENT


def test_every_tone_ends_within_eleven_seconds_and_a_refusal_within_four():
    for name in signals.NAMES:
        for country in signals.COUNTRIES:
            tone = signals.tone(name, country)
            most_ms = 11000 if name == "identify" else 4000
            assert sum(step[2] for step in tone.steps) * tone.repeats <= most_ms


def test_tones_are_those_of_the_country():
    assert signals.tone("failed", "de").steps[:2] == ((425, 0, 240), (0, 0, 240))
    assert signals.tone("failed", "us").steps[:2] == ((480, 620, 250), (0, 0, 250))
    assert signals.tone("failed", "uk").steps == ((400, 0, 400), (0, 0, 350), (400, 0, 225), (0, 0, 525))
    assert signals.tone("returned", "de").steps[:2] == ((425, 0, 480), (0, 0, 480))
    assert signals.tone("refused-number", "fr").steps == ((950, 0, 330), (1400, 0, 330), (1800, 0, 330))
    assert signals.tone("refused-number", "au").steps == ((425, 0, 2500),)


def test_a_country_without_tones_of_its_own_gets_the_default():
    assert signals.tone("failed", "zz") == signals.tone("failed", signals.DEFAULT_COUNTRY)


def test_that_the_caller_is_back_is_more_than_a_busy_tone():
    assert signals.tone("returned", "us").steps[-2:] == ((660, 0, 100), (990, 0, 250))


def test_an_outcome_matters_more_than_a_key_and_identify_most_of_all():
    order = [signals.priority(name) for name in ("ready", "key", "accepted", "done", "identify")]
    assert order == [0, 1, 2, 3, 4]


def test_a_lost_link_is_heard_only_when_it_is_told_again():
    assert not signals.is_heard("no-link", "ready")
    assert not signals.is_heard("no-link", None)
    assert signals.is_heard("no-link", "no-link")
    assert signals.is_heard("failed", "ready")
    assert signals.is_heard("open", "open")


def test_a_signal_that_does_not_exist_is_our_own_mistake():
    try:
        signals.lamp("no-such-signal")
    except ValueError:
        return
    raise AssertionError("no ValueError")
