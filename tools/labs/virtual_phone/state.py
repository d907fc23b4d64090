"""What the phone shows: lamp, tone, display and signal, as last reported by the chip.

Does not decide or time anything.
"""

from typing import Any

from virtual_phone.frames import Report


class Outputs:
    """The outputs; a chip without power shows nothing."""

    def __init__(self) -> None:
        self.lamp = False
        self.tone_hz = 0
        self.display: list[str] | None = None
        self.signal: str | None = None

    def apply(self, report: Report) -> dict[str, Any]:
        """Take a report; return the fields of its event, or {} when it changes nothing visible."""
        name, fields = report
        if name == "signal":  # the same one again is an event too
            self.signal = fields[0]
            return {"name": self.signal}
        if name == "lamp":
            before, self.lamp = self.lamp, fields[0] != "0"
            return {"on": self.lamp} if self.lamp != before else {}
        if name == "tone":
            before_hz, self.tone_hz = self.tone_hz, int(fields[0])
            return {"hz": self.tone_hz} if self.tone_hz != before_hz else {}
        if name == "display":
            shown, self.display = self.display, list(fields)
            return {"lines": self.display} if self.display != shown else {}
        return {}

    def clear(self) -> list[tuple[str, dict[str, Any]]]:
        """Everything goes dark; return the events of what changed."""
        events: list[tuple[str, dict[str, Any]]] = []
        if self.lamp:
            events.append(("lamp", {"on": False}))
        if self.tone_hz:
            events.append(("tone", {"hz": 0}))
        if self.display:
            events.append(("display", {"lines": ["", ""]}))
        if self.signal:
            events.append(("signal", {"name": None}))
        self.lamp, self.tone_hz, self.display, self.signal = False, 0, None, None
        return events

    def as_json(self) -> dict[str, Any]:
        """Return the outputs as JSON values."""
        return {"lamp": self.lamp, "tone": self.tone_hz, "display": self.display, "signal": self.signal}
