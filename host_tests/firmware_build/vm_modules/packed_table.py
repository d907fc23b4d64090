"""A module with a table that is packed, and with something that is not; it does nothing else."""

from machine import Pin

_ROWS = (  # event, state
    ("sent", "talking"),
    ("done", "idle"),
)
_LED = 4


def _pack(rows):
    return "/".join([event + "=" + state for event, state in rows])


_TEXT = _pack(_ROWS)
_PIN = Pin(_LED)


def find(event):
    at = _TEXT.find(event + "=")
    return _TEXT[at:], _PIN
