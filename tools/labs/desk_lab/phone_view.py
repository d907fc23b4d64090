"""What can be seen and heard of the phone right now: lamp, tone, display, signal, receiver, the keys that are down.

Does not ask the phone: it follows the events of its control socket from a state on. Of a phone with an emulated chip,
lamp, tone and display cannot be seen; they are None.
"""

from collections.abc import Mapping
from typing import Any

LEGENDS = "123A456B789C*0#D"
_COLUMNS = 4


class PhoneView:
    """The phone as it was at the latest event."""

    def __init__(self) -> None:
        self.is_running = False
        self.is_off_hook = False
        self.lamp: bool | None = None
        self.tone_hz: int | None = None
        self.display: tuple[str, ...] | None = None
        self.signal: str | None = None
        self.keys_down: frozenset[str] = frozenset()

    def begin(self, state: Mapping[str, Any]) -> None:
        """Take the answer to the command `state`."""
        self.is_running = bool(state["running"])
        self.is_off_hook = state["hook"] == "off"
        self.lamp, self.tone_hz, self.signal = state["lamp"], state["tone"], state["signal"]
        self.display = None if state["display"] is None else tuple(state["display"])
        self.keys_down = frozenset(LEGENDS[row * _COLUMNS + column] for row, column in state["contacts"])

    def follow(self, event: Mapping[str, Any]) -> None:
        """Take an event; those that change nothing visible are fine."""
        match event["event"]:
            case "lamp":
                self.lamp = event["on"]
            case "tone":
                self.tone_hz = event["hz"]
            case "display":
                self.display = tuple(event["lines"])
            case "signal":
                self.signal = event["name"]
            case "hook":
                self.is_off_hook = event["position"] == "off"
            case "contact" if event["closed"]:
                self.keys_down |= {event["legend"]}
            case "contact":
                self.keys_down -= {event["legend"]}
            case "reset":
                self.is_running = True
            case "end" | "power-lost":
                self.is_running = False
