"""A display on the bus of the simulated chip, read by the computer: writes in, two lines out.

Does not drive it; the board's driver does, on the chip. Like a real one it keeps its content over a reset of the
chip, and loses it with the power.
"""

from virtual_phone.played_displays import PlayedLcd, PlayedOled

KINDS = ("oled", "lcd")


class WiredDisplay:
    """One display of a kind; `letters` are MicroPython's, as drawn on an OLED."""

    def __init__(self, kind: str, letters: dict[bytes, str]) -> None:
        """ValueError when there is no such kind."""
        if kind not in KINDS:
            raise ValueError(f"there is no display {kind!r}; there are {' and '.join(KINDS)}")
        self.kind, self._letters = kind, letters
        self._played = self._make()

    def lose_power(self) -> None:
        """Become like new."""
        self._played = self._make()

    def feed(self, output: str) -> tuple[str, ...]:
        """Take a write, in hex; return the lines now shown. ValueError names what no display understands."""
        self._played.feed(bytes.fromhex(output))
        return tuple(line.rstrip() for line in self._played.lines(self._letters))

    def _make(self) -> PlayedLcd | PlayedOled:
        return PlayedOled() if self.kind == "oled" else PlayedLcd()
