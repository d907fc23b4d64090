"""Transfers that VoipNow has accepted and no list shows yet. Does not look, and does not judge who is in a call.

VoipNow tells of no transfer. It is done when the user's leg has gone from the list; if the leg is still there after
`SHOWN_S`, nobody knows whether it will still happen. Times are monotonic seconds.
"""

from collections.abc import Callable

SHOWN_S = 10.0


class SentCallers:
    """The accepted transfers, by call reference. clock: monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """None yet."""
        self._clock = clock
        self._until_s: dict[str, float] = {}
        self._extensions: dict[str, str] = {}

    def __bool__(self) -> bool:
        """Say whether there are any."""
        return bool(self._until_s)

    def add(self, ref: str, extension: str) -> None:
        """VoipNow has accepted the transfer of this leg of an extension."""
        self._until_s[ref] = self._clock() + SHOWN_S
        self._extensions[ref] = extension

    @property
    def extensions(self) -> set[str]:
        """The extensions whose lists will show what came of a transfer."""
        return set(self._extensions.values())

    def has(self, ref: str) -> bool:
        """Say whether this leg is being transferred."""
        return ref in self._until_s

    def pop_ended(self, is_there: Callable[[str], bool], extension: str | None) -> list[tuple[str, str]]:
        """Return (reference, state) of those that have ended by a list of an extension, or of all; and forget them."""
        now_s, ended = self._clock(), []
        for ref, until_s in self._until_s.items():
            if extension not in (None, self._extensions[ref]):
                continue
            if not is_there(ref):
                ended.append((ref, "done"))
            elif now_s > until_s:
                ended.append((ref, "unknown"))
        for ref, _ in ended:
            del self._until_s[ref], self._extensions[ref]
        return ended

    def forget(self, extension: str | None = None) -> None:
        """Forget those of an extension, or all: nobody sees any more what comes of them."""
        for ref in [ref for ref, one in self._extensions.items() if extension in (None, one)]:
            del self._until_s[ref], self._extensions[ref]
