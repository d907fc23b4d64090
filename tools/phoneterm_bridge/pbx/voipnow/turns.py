"""Whose turn it is where each extension is asked for by itself, and which ones have failed for how long. Does not ask.

What a round could not do it leaves to the next one, so that with a limit of requests the last extensions come too. One
that fails waits for the next round, so that it holds up no other. Times are monotonic seconds.
"""

from collections.abc import Iterable


class Turns:
    """The turns of all extensions."""

    def __init__(self) -> None:
        """Nobody's."""
        self._left: list[str] = []
        self._failing_since_s: dict[str, float] = {}

    def begin(self, extensions: Iterable[str]) -> None:
        """Go on with the round, or begin a new one; only these extensions have turns."""
        wanted = set(extensions)
        self._left = [one for one in self._left if one in wanted] or sorted(wanted)
        self._failing_since_s = {one: since_s for one, since_s in self._failing_since_s.items() if one in wanted}

    @property
    def whose(self) -> str | None:
        """The extension whose turn it is; None at the end of the round."""
        return self._left[0] if self._left else None

    def note_read(self, extension: str) -> None:
        """An extension's calls have been read."""
        self._failing_since_s.pop(extension, None)
        self._end(extension)

    def note_failure(self, extension: str, now_s: float) -> None:
        """They could not be read."""
        self._failing_since_s.setdefault(extension, now_s)
        self._end(extension)

    def failing_since(self, before_s: float) -> list[str]:
        """Return the extensions that fail since before a moment."""
        return [one for one, since_s in self._failing_since_s.items() if since_s <= before_s]

    def _end(self, extension: str) -> None:
        if extension in self._left:
            self._left.remove(extension)
