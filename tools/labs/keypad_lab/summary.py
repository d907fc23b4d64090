"""Counts the reports of a replay and summarises them in a few lines.

Does not judge. Every line starts with "# ", so that a program that reads the events can skip it.
"""

from collections.abc import Iterator

from phoneterm.core.keymap import Keymap
from phoneterm.core.scanner import Scanner

from keypad_lab.replay import Event, Replay


class Summary:
    """The counts of one replay."""

    def __init__(self, keymap: Keymap) -> None:
        """Start with nothing reported."""
        self._keymap = keymap
        self._counts = {"down": 0, "up": 0}
        self._faults: list[str] = []
        self._held: dict[int, None] = {}

    def add(self, event: Event) -> None:
        """Count one event."""
        legend = self._keymap.legend(event.key_index)
        at = f"at {event.time_us / 1000:.3f} ms"
        if event.kind == "stuck":
            self._faults.append(f"{legend} stuck and masked {at}")
        elif event.kind == "working":
            self._faults.append(f"{legend} works again {at}")
        else:
            self._counts[event.kind] += 1
            if event.kind == "down":
                self._held[event.key_index] = None
            else:
                self._held.pop(event.key_index, None)

    def lines(self, run: Replay, scanner: Scanner) -> Iterator[str]:
        """Yield the summary of a finished replay and of the scanner it drove."""
        held = " ".join(self._keymap.legend(index) for index in self._held)
        yield f"# keys: {self._counts['down']} down; {self._counts['up']} up; still held: {held or 'none'}"
        for fault in self._faults:
            yield f"# fault: {fault}"
        seconds = (run.last_us - run.first_us) / 1e6
        yield f"# trace: {run.row_count} rows; {seconds:.3f} s; {run.stall_count} stalls"
        gaps = scanner.gaps
        yield (
            f"# scanner: {run.polls} polls; gap p50 {gaps.percentile_ms(50)} ms; p99 {gaps.percentile_ms(99)} ms; "
            f"max {gaps.longest_ms()} ms"
        )
