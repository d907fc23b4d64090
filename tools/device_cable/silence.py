"""Tells somebody who listens to a board why there is nothing to hear: its port is away, or it says nothing.

Does not listen. Each is said once, the port again each time that it goes away. Times are seconds.
"""

import math
import time
from collections.abc import Callable

_LONGEST_S = 30.0  # a terminal that connects may see nothing for 12 s
_AWAY = "The port is away: is the cable plugged in? It is opened again when it is back; Ctrl-C ends that."
_SILENT = (
    f"The board has said nothing for {_LONGEST_S:g} s, and a terminal would have answered: press RESET. If nothing "
    "comes then, it is another port, or the board has no power or no MicroPython. Still listening; Ctrl-C ends that."
)


class Silence:
    """`say` gets each sentence."""

    def __init__(self, say: Callable[[str], object], now_s: Callable[[], float] = time.monotonic) -> None:
        """Begin to listen."""
        self._say = say
        self._now_s = now_s
        self._until_s = now_s() + _LONGEST_S
        self._was_away = False

    def look(self, is_away: bool) -> None:
        """Note that nothing has come, and whether the port is away."""
        if is_away and not self._was_away:
            self._say(_AWAY)
        elif not is_away and self._now_s() >= self._until_s:
            self._say(_SILENT)
            self.end()
        self._was_away = is_away

    def end(self) -> None:
        """Note that the board says something."""
        self._until_s = math.inf
