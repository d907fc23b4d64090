"""The budgets of all terminals at the bridge's own reading: decides which message is still heard. Reads no payloads.

A broker hands on whatever terminals say, as fast as they say it. What is over a terminal's budget is dropped before
anything is done for it, so that it costs the others as little as can be. Whoever goes on all the same is told to
`on_flood`: even a message that is dropped has waited with the others' on the one connection.
"""

import time
from collections.abc import Callable

from phoneterm.core import messages

from phoneterm_bridge.mqtt.budget import OCTETS_PER_S, TOO_MUCH, Budget
from phoneterm_bridge.mqtt.pulse import PULSE_NAME

_MOST_TOPICS = 100_000  # 10,000 terminals with six kinds of message each; only a false broker has more
_TOLD_EVERY_S = 1.0
MOST_DROPPED = 100  # of one terminal, within a second
_NOBODY = ""  # has one budget for all topics that are not in the contract


class _Speaker:
    """One terminal: its budget, when its excess was told last, and how many messages were dropped since."""

    __slots__ = ("budget", "dropped", "tid", "told_s")

    def __init__(self, tid: str, budget: Budget) -> None:
        self.tid = tid
        self.budget = budget
        self.told_s = float("-inf")
        self.dropped = 0


class Inbound:
    """The budgets under one base topic; `note_excess` is told of a terminal, at most once a second, and why."""

    def __init__(
        self, base: str, note_excess: Callable[[str, str], None], now_s: Callable[[], float] = time.monotonic,
        on_flood: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        """on_flood: told of a terminal of which `MOST_DROPPED` messages were dropped within a second."""
        self._on_flood = on_flood
        self._base = base
        self._note_excess = note_excess
        self._now_s = now_s
        self._own = {
            messages.topic_of(base, PULSE_NAME, messages.STATE), messages.topic_of(base, "", messages.BRIDGE_STATE),
        }  # fmt: skip
        self._by_tid: dict[str, _Speaker] = {}
        self._by_topic: dict[str, _Speaker] = {}
        self.dropped = 0

    def takes(self, topic: str, octets: int) -> bool:
        """Return whether a message is within the budget of whoever said it."""
        speaker = self._by_topic.get(topic)
        if speaker is None:
            if topic in self._own:
                return True
            speaker = self._find(topic)
        # A single message that is far too long must not make its terminal deaf: it is refused unread anyway.
        if speaker.budget.takes(min(octets, OCTETS_PER_S)):
            return True
        self.dropped += 1
        now_s = self._now_s()
        if speaker.tid and now_s - speaker.told_s >= _TOLD_EVERY_S:
            speaker.told_s, speaker.dropped = now_s, 0
            self._note_excess(speaker.tid, TOO_MUCH)
        speaker.dropped += 1
        if speaker.dropped == MOST_DROPPED and speaker.tid and self._on_flood:
            speaker.budget.end_patience()
            self._on_flood(speaker.tid)
        return False

    def _find(self, topic: str) -> _Speaker:
        if len(self._by_topic) >= _MOST_TOPICS:
            self._by_topic.clear()
            self._by_tid.clear()
        parsed = messages.parse_topic(self._base, topic)
        tid = _NOBODY if parsed is None else parsed[0]
        speaker = self._by_tid.setdefault(tid, _Speaker(tid, Budget(self._now_s)))
        if parsed is not None:
            self._by_topic[topic] = speaker
        return speaker
