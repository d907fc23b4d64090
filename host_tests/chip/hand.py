"""A hand at the keypad of an emulated chip. Like a user, it keys again when the phone asks for it.

Does not read a display, because such a phone has none: it follows the signals. The emulator itself sometimes keeps its
chip from reading the keypad, so the phone may ask; one that asks again and again does not hear its keys.
"""

import asyncio

from virtual_phone.client import PhoneError

AGAIN = "refused-number"
MOST_TRIES = 3
HEARD_S = 10
REST_S = 1  # within 0.7 s of a finished sequence the terminal takes further keys as the rest of that sequence
_ANSWERS = (
    "accepted",
    "consulting",
    "done",
    "returned",
    "failed",
    "unknown",
    "refused-permission",
    "unsupported",
    "no-call",
    "no-link",
)


class Hand:
    """The hand at one phone; `note` takes a sentence for the end of the run."""

    def __init__(self, keypad, note):
        self._keypad = keypad
        self._note = note

    async def key(self, text, answers=_ANSWERS):
        """Key a text until the phone has heard it; return the keypad's answer, with the times of the keys."""
        for _ in range(MOST_TRIES):
            said = asyncio.create_task(self._keypad.wait_for_event(is_signal(*answers, AGAIN), HEARD_S))
            await asyncio.sleep(0)  # lets the task begin to listen
            answer = await self._keypad.type(text)
            try:
                if (await said)["name"] != AGAIN:
                    return answer
            except PhoneError:
                pass  # the phone has not answered
            self._note(f"{text} was keyed again on the emulated chip.")
            await asyncio.sleep(REST_S)
        raise AssertionError(f"the phone has not heard {text}, though it was keyed {MOST_TRIES} times")


def is_signal(*names):
    """Return a function that says whether an event is one of these signals."""
    return lambda event: event["event"] == "signal" and event["name"] in names
