"""Plans when keys go down and up when somebody types.

Does not press them and does not read a clock: times are milliseconds since the first key.
A negative gap is roll-over: the next key goes down before the last one is up.
"""

from typing import NamedTuple


class Keystroke(NamedTuple):
    """One key going down or up."""

    at_ms: float
    legend: str
    is_down: bool


def plan_keystrokes(text: str, hold_ms: float, gap_ms: float) -> list[Keystroke]:
    """Return the keystrokes of `text` in order of time; ValueError when a key would go down before it is up."""
    step_ms = hold_ms + gap_ms
    if len(text) > 1 and step_ms <= 0:
        raise ValueError("hold_ms and gap_ms together must be more than 0")
    strokes = []
    up_ms: dict[str, float] = {}
    for index, legend in enumerate(text):
        down_ms = index * step_ms
        if up_ms.get(legend, -1) >= down_ms:
            raise ValueError(f"key {legend} would go down again before it is up; choose a larger gap_ms")
        up_ms[legend] = down_ms + hold_ms
        strokes += [Keystroke(down_ms, legend, True), Keystroke(up_ms[legend], legend, False)]
    return sorted(strokes, key=lambda stroke: stroke.at_ms)
