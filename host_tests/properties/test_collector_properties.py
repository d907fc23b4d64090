"""Whatever is keyed, at any time, and whatever fails: a dialled number was keyed, in order and in full."""

from hypothesis import given, settings
from hypothesis import strategies as st
from phoneterm.core.collector import QUIET_MS, Collector, Dialled
from phoneterm.core.config import read_config
from phoneterm.core.keymap import STANDARD_ROLES
from phoneterm.core.messages import Rejected, is_number

_MAPS = (
    "internal:1xx|national:0[1-9]x.T|national:0[1-9]x.#|international:00x.T",
    "any:xx.T|any:xx.#",
    "ext:7xx*xT|two:2x|code:8x.#",
    "fixed:[1-9]x",
)
_KEYS = "0123456789*#ABCD"
_CODES = {"#1": "blind", "*2": "attended"}
# A step is a key, a time in ms, or a fault; the runs are long enough for many sequences.
_STEP = st.one_of(
    st.sampled_from(_KEYS),
    st.sampled_from(_KEYS[:12]),
    st.sampled_from(("#1", "*2", "#1102", "*203", "#112B5")),
    st.sampled_from((10, 100, QUIET_MS, 2500, 3000)),
    st.integers(1, 4000),
    st.sampled_from(("taint", "close")),
)


def _expected_number(keys):
    """Return (kind, number) of all the keys of one sequence, after erasing, or None where there is none."""
    kind = _CODES.get(keys[:2])
    if kind is None:
        return None
    number = ""
    for key in keys[2:]:
        if key == "B":
            number = number[:-1]
        elif key in "0123456789*":
            number += key
        elif key not in "#A":
            return None
    return kind, number


def _play(collector, steps):
    """Yield (everything keyed since the sequence began, event) for each event."""
    keys = ""
    for step in steps:
        if isinstance(step, int):
            event = collector.on_time(step)
            yield keys, event
        elif step == "taint":
            yield keys, collector.close("key-it-again")
        elif step == "close":
            yield keys, collector.close("test")
        else:
            for key in step:
                was_open = collector.is_open
                event = collector.on_press(key)
                collector.on_release()
                keys = keys + key if was_open else key
                yield keys, event


def _collector(text):
    config = read_config({"rev": 1, "digit_map": text}, STANDARD_ROLES)
    assert not isinstance(config, Rejected), config
    return Collector(config), config.digit_map


@settings(max_examples=1000, deadline=None)
@given(st.sampled_from(_MAPS), st.lists(_STEP, max_size=40))
def test_what_is_dialled_was_keyed_in_order_and_in_full(text, steps):
    collector, digit_map = _collector(text)
    for keys, event in _play(collector, steps):
        if isinstance(event, Dialled):
            assert (event.kind, event.number) == _expected_number(keys)
            assert is_number(event.number)
            assert digit_map.class_of(event.number) == event.number_class is not None


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(_MAPS), st.lists(_STEP, max_size=40))
def test_nothing_stays_armed_without_keys(text, steps):
    collector, _ = _collector(text)
    for _ in _play(collector, steps):
        pass
    collector.on_time(3000)
    assert not collector.is_open
    collector.on_time(QUIET_MS)
    assert not collector.is_quiet


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(_MAPS), st.lists(_STEP, max_size=40))
def test_a_taint_at_any_moment_keeps_the_sequence_from_being_dialled(text, steps):
    collector, _ = _collector(text)
    for _ in _play(collector, steps):
        pass
    if collector.is_open:
        assert collector.close("key-it-again") == "key-it-again"
    assert not any(isinstance(event, Dialled) for _, event in _play(collector, ["1", "0", "2", "A", "#", 2400]))


@settings(max_examples=500, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(_KEYS), st.integers(1, 100)), max_size=80))
def test_a_sequence_never_lasts_longer_than_its_total_time(steps):
    collector, _ = _collector("any:xx.T")
    open_ms = 0
    for step in steps:
        if isinstance(step, int):
            for _ in range(step):
                collector.on_time(50)
                open_ms = open_ms + 50 if collector.is_open else 0
                assert open_ms < 20000 + 50
        else:
            was_open = collector.is_open
            collector.on_press(step)
            open_ms = open_ms if was_open else 0
