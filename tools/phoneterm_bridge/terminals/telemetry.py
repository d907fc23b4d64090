"""What terminals last said about themselves: memory, radio, scan gaps, counters. Does not judge it.

Kept for terminals that are online, and forgotten with the bridge.
"""

from collections.abc import Collection


class Telemetry:
    """The last telemetry message of each terminal."""

    def __init__(self) -> None:
        self._latest: dict[str, tuple[tuple[str, int], ...]] = {}

    def keep(self, tid: str, fields: dict[str, int]) -> None:
        """Keep one message: its fields, by their names on the wire."""
        self._latest[tid] = tuple(fields.items())

    def find(self, tid: str) -> tuple[tuple[str, int], ...] | None:
        """Return the fields of a terminal's last message, if it is known."""
        return self._latest.get(tid)

    def latest(self, online: Collection[str], most: int) -> tuple[dict[str, dict[str, int]], int]:
        """Return the last messages of online terminals, by tid and at most so many, and how many more there are.

        The messages of other terminals are forgotten.
        """
        self._latest = {tid: fields for tid, fields in self._latest.items() if tid in online}
        first = sorted(self._latest)[:most]
        return {tid: dict(self._latest[tid]) for tid in first}, len(self._latest) - len(first)
