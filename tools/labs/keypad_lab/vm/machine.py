"""Pins of an idle keypad, for measuring the cost of a look; nothing else of the chip."""


class Pin:
    """A pin that remembers its level; as an input it reads high, or low where it is pulled down."""

    IN = 0
    OUT = 1
    OPEN_DRAIN = 2
    PULL_UP = 1
    PULL_DOWN = 2

    def __init__(self, number, mode=0, pull=1, value=None):
        """Take what every port's Pin takes."""
        self._level = 0 if pull == self.PULL_DOWN else 1

    def init(self, mode=0, pull=1, value=None):
        """Change the direction, which an idle keypad does not notice."""

    def value(self, level=None):
        """Read the pin, or set its level."""
        if level is None:
            return self._level
        self._level = level
        return None

    __call__ = value


class Timer:
    """Only there to be imported."""
