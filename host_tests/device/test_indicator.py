"""The indicator with the real signal table: what the lamp and the buzzer do, ms by ms."""

import asyncio

import pytest
from phoneterm.core import signals
from phoneterm.device.indicator import STEP_MS, Indicator


class Lamp:
    """A pin that keeps its level."""

    level = None

    def value(self, level):
        self.level = level


class Buzzer:
    """A PWM that keeps its sound."""

    hz = 1000
    duty = 0

    def freq(self, hz):
        assert hz >= 1
        self.hz = hz

    def duty_u16(self, duty):
        self.duty = duty

    def sound(self):
        return self.hz if self.duty else 0


class Desk:
    """An indicator with its outputs."""

    def __init__(self, active=1):
        self.lamp, self.buzzer, self.heard = Lamp(), Buzzer(), []
        self.indicator = Indicator(signals, self.lamp, active, self.buzzer, self.heard.append)

    def watch(self, ms):
        """Let time pass; return (lamp levels, frequencies) at every step."""
        levels, sounds = [], []
        for _ in range(ms // STEP_MS):
            levels.append(self.lamp.level)
            sounds.append(self.buzzer.sound())
            self.indicator.advance(STEP_MS)
        return levels, sounds


@pytest.mark.parametrize("name", signals.NAMES)
@pytest.mark.parametrize("country", signals.COUNTRIES)
def test_every_signal_plays_its_tone_in_full_and_ends_or_stands(name, country):
    desk = Desk()
    desk.indicator.country = country
    desk.indicator.play("ready")
    desk.indicator.play(name)
    _, sounds = desk.watch(20000)
    tone = signals.tone(name, country)
    expected_ms = (
        sum(step[2] for step in tone.steps if step[0]) * tone.repeats if signals.is_heard(name, "ready") else 0
    )
    heard_ms = STEP_MS * sum(sound > 0 for sound in sounds)
    assert heard_ms == pytest.approx(expected_ms, abs=STEP_MS * (1 + len(tone.steps) * tone.repeats))
    allowed = {0} | {hz for step in tone.steps for hz in step[:2]}
    assert set(sounds) <= allowed
    assert desk.buzzer.sound() == 0
    assert desk.heard == ["ready", name] + ([] if signals.is_standing(name) else ["ready"])


def test_a_momentary_signal_plays_over_the_standing_one_and_gives_the_lamp_back():
    desk = Desk()
    desk.indicator.play("ready")
    assert set(desk.watch(200)[0]) == {1}
    desk.indicator.play("refused-permission")
    assert set(desk.watch(1000)[0]) == {0, 1}
    desk.watch(3000)
    assert set(desk.watch(500)[0]) == {1}


def test_a_signal_that_matters_less_does_not_interrupt():
    desk, alone = Desk(), Desk()
    for each in (desk, alone):
        each.indicator.play("refused-permission")
    desk.indicator.play("key")
    assert desk.watch(1000) == alone.watch(1000)


def test_the_tone_of_a_standing_signal_waits_for_the_momentary_one():
    desk = Desk()
    desk.indicator.play("accepted")
    desk.indicator.play("consulting")
    _, sounds = desk.watch(2000)
    assert [sound for at, sound in enumerate(sounds) if sound and sound != sounds[at - 1]] == [880, 880, 523, 659, 784]


def test_two_frequencies_are_played_in_turn():
    desk = Desk()
    desk.indicator.country = "us"
    desk.indicator.play("failed")
    _, sounds = desk.watch(200)
    assert set(sounds) == {480, 620}
    assert all(sounds[at] != sounds[at + 1] for at in range(len(sounds) - 1))


def test_a_lamp_that_lights_when_low_is_driven_low():
    desk = Desk(active=0)
    desk.indicator.play("ready")
    assert desk.lamp.level == 0


def test_a_board_without_lamp_and_buzzer_still_tells_its_signals():
    heard = []
    indicator = Indicator(signals, None, 1, None, heard.append)
    indicator.play("done")
    indicator.advance(100)
    assert heard == ["done"]


class Pause:
    """An awaitable that lasts one step of the test."""

    def __await__(self):
        yield


@pytest.fixture
def go_dark(monkeypatch):
    """Return a function that makes an indicator go dark and returns after how many ms it was."""
    monkeypatch.setattr(asyncio, "sleep_ms", lambda _: Pause(), raising=False)

    def run(desk):
        life = desk.indicator.go_dark()
        waited_ms = 0
        while True:
            try:
                life.send(None)
            except StopIteration:
                return waited_ms
            desk.watch(STEP_MS)
            waited_ms += STEP_MS

    return run


def test_before_everything_blocks_the_lamp_is_dark_and_the_buzzer_still(go_dark):
    desk = Desk()
    desk.indicator.play("starting")
    assert desk.lamp.level == 1
    assert go_dark(desk) == 0
    levels, sounds = desk.watch(900)
    assert (set(levels), set(sounds)) == ({0}, {0})
    desk.indicator.play("ready")
    assert desk.lamp.level == 1


@pytest.mark.parametrize(("name", "lasts_ms"), [("unknown", 3200), ("no-link", 900), ("identify", 3000)])
def test_news_is_told_first_but_does_not_keep_it_from_connecting_for_long(go_dark, name, lasts_ms):
    desk = Desk()
    desk.indicator.play("no-link")
    desk.indicator.play(name)
    assert 0 < go_dark(desk) <= lasts_ms
    assert (desk.lamp.level, desk.buzzer.sound()) == (0, 0)


def test_what_a_key_leads_to_is_heard_and_seen_in_the_dark(go_dark):
    desk = Desk()
    desk.indicator.play("no-link")
    go_dark(desk)
    desk.indicator.play("refused-number")
    assert (desk.lamp.level, desk.buzzer.sound()) == (1, 950)
    go_dark(desk)
    desk.indicator.play("no-link")
    assert desk.buzzer.sound() == 500


def test_the_lamp_is_not_dark_for_ever(go_dark):
    desk = Desk()
    desk.indicator.play("starting")
    go_dark(desk)
    levels, _ = desk.watch(6000)
    assert set(levels) == {0, 1}
