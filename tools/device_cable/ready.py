"""Reads a terminal's log after its start, until its state is clear. Does not change anything on the board.

Understands the firmware's log: one line for each event. Each outcome has one sentence. A cause that the terminal tells
(`trouble`) may be over soon, so it counts only at the end of the waiting time.
"""

import time
from dataclasses import dataclass

from device_cable.cable import Cable

READY = "ready"
NOT_SET_UP = "not set up"
UNCONNECTED = "unconnected"
SAFE_MODE = "safe mode"
CRASHED = "crashed"
BARE = "bare"
_START = "rst:0x"
_MOST_STARTS = 6  # an interrupt at the wrong moment costs a chip one or two
SILENT = "silent"

_PROMPT_COMES = "MicroPython "  # and its version, or the hash of its build
_TROUBLE = ("wifi-failed", "wifi-down", "link-refused", "link-lost", "trouble")


@dataclass(frozen=True)
class Outcome:
    """The terminal's state, and a sentence for it."""

    kind: str
    sentence: str

    @property
    def is_good(self) -> bool:
        """Say whether flashing succeeded; a terminal that only lacks its settings counts as success."""
        return self.kind in (READY, NOT_SET_UP)


def is_state(line: str) -> bool:
    """Say whether a line of the log tells the terminal's state."""
    return line.startswith(("ready ", "trouble ", "safe mode", "The setting "))


def is_prompt(line: str) -> bool:
    """Say whether a line is the first one of MicroPython's prompt."""
    return line.startswith(_PROMPT_COMES)


class Listener:
    """Takes the lines one by one."""

    def __init__(self) -> None:
        """Start without any lines."""
        self._trouble: str | None = None
        self._has_cause = False
        self._is_heard = False
        self._is_tracing = False
        self._starts = 0

    def hear(self, line: str) -> Outcome | None:
        """Take a line; return the outcome once it is clear."""
        event, _, detail = line.partition(" ")
        if line.startswith("Traceback"):
            self._is_tracing = True
        elif self._is_tracing and line and not line.startswith(" "):
            return Outcome(CRASHED, f"The terminal does not start: {line[:120]}; make logs shows all of it.")
        elif line.startswith(_START):
            self._starts += 1
            if self._starts > _MOST_STARTS:
                return Outcome(
                    CRASHED, f"The terminal starts again and again ({line[:40]}); make logs shows all of it."
                )
        elif line.startswith("safe mode"):
            reason = line.removeprefix("safe mode").lstrip(": ")[:120]
            return Outcome(SAFE_MODE, f"The terminal is in safe mode: {reason}; make logs shows what it does.")
        elif is_prompt(line) and not self._is_heard:
            return Outcome(
                BARE, "No terminal starts on the board, which has only MicroPython: make flash BOARD= PORT= brings it."
            )
        elif line.startswith("The setting "):
            return _of_setting(line)
        elif event == "ready":
            return Outcome(READY, "The terminal is ready: its bridge and the PBX are there.")
        elif event == "trouble" or (event in _TROUBLE and not self._has_cause):
            self._is_heard = True
            self._has_cause = event == "trouble"
            self._trouble = f"{event}: {detail[:120]}".removesuffix(".")
        elif event == "link-up":
            self._is_heard = True
            self._has_cause = False
            self._trouble = "it has reached its broker and waits for the bridge"
        elif event == "wifi-up":
            self._is_heard = True
            self._has_cause = False
            self._trouble = "it has joined its Wi-Fi and waits for its broker"
        return None

    def at_end(self, waited_s: float) -> Outcome:
        """Return the outcome at the end of the waiting time."""
        if self._is_heard:
            return Outcome(UNCONNECTED, f"The terminal runs, but was not ready after {waited_s:g} s: {self._trouble}.")
        return Outcome(
            SILENT, f"The terminal did not report its state within {waited_s:g} s: press RESET under make logs."
        )


def wait_until_ready(cable: Cable, wait_s: float) -> Outcome:
    """Listen to a board that was just restarted; ask it, because what it said while its port was away is lost."""
    listener = Listener()
    for line in cable.lines(time.monotonic() + wait_s, is_asking=True):
        outcome = listener.hear(line)
        if outcome is not None:
            return outcome
    return listener.at_end(wait_s)


def _of_setting(line: str) -> Outcome:
    if "provision" in line:
        return Outcome(
            NOT_SET_UP, "The terminal runs and is not set up yet: make provision BOARD= PORT= EXT= does that."
        )
    return Outcome(UNCONNECTED, f"The terminal cannot use its settings: {line[:160]} make provision sets them anew.")
