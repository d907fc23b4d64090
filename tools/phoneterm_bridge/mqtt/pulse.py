"""The bridge's pulse: a message to itself through the broker, to detect a link that is connected but deaf.

Does not connect and does not decide what a deaf link means for others. The pulse goes to a topic like that of the
terminals' messages, under a name that no terminal can have, and by the same subscription. So if a pulse comes back, a
terminal's message would come too. After two that do not, the link is told to reconnect. Times are seconds.
"""

import asyncio
import secrets
import time
from contextlib import suppress

import structlog
from phoneterm.core import messages

from phoneterm_bridge.mqtt.link import Link

PULSE_NAME = "BRIDGE"  # a tid is lower case
_MOST_MISSED = 2


class Pulse:
    """The pulse of one link. `run` must be running for anything to be sent."""

    def __init__(self, link: Link, base: str, every_s: float, deadline_s: float) -> None:
        self._link = link
        self._topic = messages.topic_of(base, PULSE_NAME, messages.STATE)
        self._every_s = every_s
        self._deadline_s = deadline_s
        self._word = b""
        self._back: asyncio.Future[bool] | None = None
        self._up = asyncio.Event()
        self._due = asyncio.Event()
        self._missed_in_a_row = 0
        self.is_heard = False
        self.round_trip_s: float | None = None
        self.missed = 0
        self.deaf_since_s: float | None = None

    def on_link(self, is_up: bool) -> None:
        """The link is up, so a pulse is due at once, or down, so none will come back."""
        self.is_heard = False
        self._end_wait(False)
        self._due.set()
        if is_up:
            self._up.set()
        else:
            self._up.clear()

    def takes(self, topic: str, payload: bytes) -> bool:
        """Return whether a message is a pulse, of this bridge or of another one; take it if so."""
        if topic != self._topic:
            return False
        if payload == self._word:
            self._end_wait(True)
        return True

    async def run(self) -> None:
        """Send pulses for as long as the link is up."""
        while True:
            await self._up.wait()
            self._due.clear()
            await self._beat()
            if self.is_heard:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._due.wait(), self._every_s)

    async def _beat(self) -> None:
        """Send one pulse and wait for it."""
        self._word = secrets.token_hex(8).encode()
        self._back = asyncio.get_running_loop().create_future()
        sent_s = time.monotonic()
        self._link.publish(self._topic, self._word, False)
        try:
            if await asyncio.wait_for(self._back, self._deadline_s):
                self._note_heard(time.monotonic() - sent_s)
        except TimeoutError:
            self._note_missed(sent_s)

    def _end_wait(self, is_back: bool) -> None:
        if self._back is not None and not self._back.done():
            self._back.set_result(is_back)

    def _note_heard(self, round_trip_s: float) -> None:
        if self.deaf_since_s is not None:
            structlog.get_logger().info("broker-heard-again", deaf_s=round(time.monotonic() - self.deaf_since_s, 1))
        self.is_heard, self.round_trip_s = True, round_trip_s
        self.deaf_since_s, self._missed_in_a_row = None, 0

    def _note_missed(self, sent_s: float) -> None:
        self.is_heard = False
        self.missed += 1
        self._missed_in_a_row += 1
        if self.deaf_since_s is None:
            self.deaf_since_s = sent_s
            structlog.get_logger().warning("broker-deaf", why="a message of the bridge to itself did not come back")
        if self._missed_in_a_row >= _MOST_MISSED:
            self._missed_in_a_row = 0
            self._link.reconnect()
