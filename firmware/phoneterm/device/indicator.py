"""Plays signals on one lamp and one buzzer, as core.signals describes them.

Does not choose signals; the terminal does. A momentary signal plays over the standing one and gives way to one that
matters at least as much; the tone of a standing signal waits until the momentary one is over.
Times are ms, `advance` is called every STEP_MS or so. A buzzer has one frequency at a time: of a two-frequency step it
plays both in turn, STEP_MS each, which sounds roughly like the pair.
Nothing can blink while a name is looked up or TLS computes. Before that the lamp goes dark and the buzzer silent, so
that neither stays as it happens to be: a terminal that sees no keys never looks ready. Momentary signals play between.
A code that says why there is no link takes the place of the lamp's pattern while "starting" or "no-link" stands.
"""

import asyncio
import time

from phoneterm.device.ticks import Elapsed

STEP_MS = 20
NEWS_STEPS = 150  # that momentary signals may take before the lamp goes dark
DARK_STEPS = 50  # of running time: between the steps of a handshake it only waits for the broker's answers
_LINKLESS = ("starting", "no-link")
_LOUD = 32768  # on for half of the period: the loudest square wave


class Cursor:
    """The position in a pattern: `step` is the index of the step that plays, -1 when none does."""

    def __init__(self):
        """Play nothing."""
        self.step = -1
        self._durations = ()
        self._left_ms = 0
        self._rounds = 0

    def start(self, durations, repeats):
        """Begin with the first step; `repeats` 0: for ever. A pattern without a duration ends at once."""
        self._durations = durations
        self._rounds = repeats
        self.step = 0 if sum(durations) else -1
        self._left_ms = durations[0] if durations else 0

    def advance(self, elapsed_ms):
        """Let time pass; steps of 0 ms are passed over."""
        if self.step < 0:
            return
        self._left_ms -= elapsed_ms
        while self._left_ms <= 0:
            self.step += 1
            if self.step == len(self._durations):
                if self._rounds == 1:
                    self.step = -1
                    return
                self._rounds = max(self._rounds - 1, 0)
                self.step = 0
            self._left_ms += self._durations[self.step]


class Indicator:
    """One lamp and one buzzer, either of which may be None."""

    def __init__(self, signals, lamp, lamp_active, buzzer, on_signal):
        """Take core.signals, a `machine.Pin`, the level that lights it, a `machine.PWM`, on_signal(name) or None."""
        self.country = signals.DEFAULT_COUNTRY
        self._signals = signals
        self._lamp = lamp
        self._lamp_active = lamp_active
        self._buzzer = buzzer
        self._on_signal = on_signal
        self._standing = None
        self._momentary = None
        self._code = ()
        self._standing_lamp = Cursor()
        self._momentary_lamp = Cursor()
        self._tone = Cursor()
        self._tone_steps = ()
        self._waiting_tone = None
        self._is_second = False
        self._is_lit = None
        self._hz = 0
        self._dark_steps = 0

    def play(self, name):
        """Begin a signal."""
        signals = self._signals
        tone = signals.tone(name, self.country) if signals.is_heard(name, self._standing) else None
        pattern = signals.lamp(name)
        if signals.is_standing(name):
            self._dark_steps = 0
            self._standing = name
            code = self._code if name in _LINKLESS else ()
            self._standing_lamp.start(code or pattern.steps, pattern.repeats)
            if self._momentary:
                self._waiting_tone = tone
            else:
                self._start_tone(tone)
        elif self._momentary is None or signals.priority(name) >= signals.priority(self._momentary):
            self._momentary = name
            self._momentary_lamp.start(pattern.steps, pattern.repeats)
            self._start_tone(tone)
        if self._on_signal:
            self._on_signal(name)
        self.advance(0)

    def explain(self, code):
        """Blink this code (ms on, off, on, ...) while there is no link; () for none. The same one goes on."""
        if code != self._code:
            self._code = code
            name = self._standing
            if name in _LINKLESS:
                self._standing_lamp.start(code or self._signals.lamp(name).steps, 0)

    def advance(self, elapsed_ms):
        """Let time pass and drive the outputs."""
        self._standing_lamp.advance(elapsed_ms)
        self._momentary_lamp.advance(elapsed_ms)
        self._tone.advance(elapsed_ms)
        if self._momentary and self._momentary_lamp.step < 0 and self._tone.step < 0:
            self._momentary = None
            self._start_tone(self._waiting_tone)
            self._waiting_tone = None
            if self._on_signal and self._standing:
                self._on_signal(self._standing)
        lamp = self._momentary_lamp if self._momentary_lamp.step >= 0 else self._standing_lamp
        is_dark = self._dark_steps > 0 and not self._is_telling()
        if is_dark:
            self._dark_steps -= 1
        self._light(not is_dark and lamp.step >= 0 and lamp.step % 2 == 0)
        self._sound(self._frequency())

    async def go_dark(self):
        """Finish momentary signals, then go dark until another standing signal, or for DARK_STEPS of running time."""
        left = NEWS_STEPS
        while self._is_telling() and left:
            left -= 1
            await asyncio.sleep_ms(STEP_MS)
        self._dark_steps = DARK_STEPS
        self._light(False)
        self._sound(0)

    def _is_telling(self):
        return self._momentary or self._tone.step >= 0

    async def run(self):
        """Play: for ever."""
        elapsed = Elapsed(time.ticks_ms, time.ticks_diff)
        while True:
            await asyncio.sleep_ms(STEP_MS)
            self.advance(elapsed.measure())

    def _start_tone(self, tone):
        self._tone_steps = tone.steps if tone else ()
        self._tone.start([step[2] for step in self._tone_steps], tone.repeats if tone else 1)

    def _frequency(self):
        if self._tone.step < 0:
            return 0
        first, second, _ = self._tone_steps[self._tone.step]
        self._is_second = not self._is_second
        return second if second and self._is_second else first

    def _light(self, is_lit):
        if self._lamp and is_lit is not self._is_lit:
            self._is_lit = is_lit
            self._lamp.value(self._lamp_active if is_lit else 1 - self._lamp_active)

    def _sound(self, hz):
        if self._buzzer is None or hz == self._hz:
            return
        if hz:
            self._buzzer.freq(hz)
            if not self._hz:
                self._buzzer.duty_u16(_LOUD)
        else:
            self._buzzer.duty_u16(0)
        self._hz = hz
