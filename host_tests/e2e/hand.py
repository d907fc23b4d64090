"""A hand at a phone's keypad that acts like a user: when the phone says "Key it again", it keys it again.

Does not hide faults of the firmware: a phone stalls by itself, or because this computer did not let its process run,
and only the second is a reason to key again. The kernel knows how long a runnable process had to wait.
"""

import asyncio
import time

from keying import HEARD_S, MOST_TRIES, press_watched
from lab_parts.kept_waiting import LEAST_WAIT_MS
from virtual_phone.client import PhoneError

AGAIN = ["Key it again", ""]
REST_S = 1  # keys within 0.7 s after a finished sequence count as the rest of it
# The first line of the display once all keys are taken; some displays show other lines on the way to it.
_HEARD = (
    "Sent", "Accepted", "Swapped", "Ringing", "Answered", "Transferred", "Caller is back", "Not allowed",
    "PBX cannot do it",
)  # fmt: skip
_NO_LINK = "no-link"  # the signal; the display says so for as long as it lasts


class Hand:
    """The hand at the keypad of an installation; `note` takes a sentence for the end of the run."""

    def __init__(self, installation, note):
        self._keypad = installation.keypad
        self._phone = installation.phone
        self._note = note
        self._rested_s = 0.0  # when what it keys next no longer counts as the rest of what it has keyed
        self.was_kept_waiting = False  # for as long as a stall, while it keyed something

    async def key(self, text):
        """Key something until the phone has taken it; return the keypad's answer, with the times of the keys."""
        for _ in range(MOST_TRIES):
            pid = self._phone.pid
            answer, words, waited_ms = await self._key_once(text)
            if words in _HEARD:
                return answer
            assert self._phone.pid == pid, "the phone has started anew in the meantime"
            self.was_kept_waiting |= waited_ms >= LEAST_WAIT_MS
            if words == _NO_LINK:  # it may ask for the keys again all the same
                return answer
            assert waited_ms >= LEAST_WAIT_MS, f"it stalled by itself: it was kept waiting for {waited_ms:.0f} ms only"
            self._note(f"{text} was keyed again: the computer had kept the phone waiting for {waited_ms:.0f} ms.")
        raise AssertionError(f"the phone has not heard {text}, though it was keyed {MOST_TRIES} times")

    async def _key_once(self, text):
        """Return the keypad's answer, the phone's reaction (None: there was none), and how long it had to wait."""
        await asyncio.sleep(max(self._rested_s - time.monotonic(), 0))
        said = asyncio.create_task(self._keypad.wait_for_event(_is_said, HEARD_S))
        await asyncio.sleep(0)  # lets the task begin to listen
        answer, waited_ms = await press_watched(self._phone.pid, lambda: self._press(text), said)
        self._rested_s = time.monotonic() + REST_S
        try:
            event = await said
        except PhoneError:
            return answer, None, waited_ms
        return answer, event["lines"][0] if event["event"] == "display" else event["name"], waited_ms

    async def _press(self, text):
        """Press the keys one after the other; return the keypad's answer."""
        return await self._keypad.type(text)


def _is_said(event):
    if event["event"] == "display":
        return event["lines"][0] in (AGAIN[0], *_HEARD)
    return event.get("name") == _NO_LINK
