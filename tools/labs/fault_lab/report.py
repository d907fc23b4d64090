"""What is known of one run at its end: a report, and the story of a broken one for people. Does not judge."""

from dataclasses import dataclass

from fault_lab.cell import Cell
from fault_lab.plan import Outage, Plan

_STORY_S = 15.0
_LOG_LINES = 15


@dataclass(frozen=True)
class Report:
    """What came of a run: one of verdict.ENDS or "broken", why, the terminal's last word, and details for people.

    phases: how long the run took up to the first key, to the last word, until everything was healed, and on the whole.
    outages: those that came about, because their step was reached.
    """

    plan: Plan
    end: str
    why: str
    word: str
    phases: tuple[float, ...]
    outages: tuple[Outage, ...]
    details: tuple[str, ...]


def tell_story(cell: Cell, zero_s: float) -> tuple[str, ...]:
    """Return what phone, PBX and proxies did, in ms from `zero_s` on, and the ends of both logs."""
    rows = [(at_ms / 1000, f"display {text}") for at_ms, text in cell.lines]
    rows += [(at_ms / 1000, f"signal {name}") for at_ms, name in cell.signals]
    rows += [(done.at_ms / 1000, f"PBX did {done.op} of {done.channel}") for done in cell.lab.done]
    for side, proxy in cell.proxies.items():
        rows += [(at_s, f"{side} side {way}: {what} of {name}") for at_s, way, name, what in proxy.log]
    story = [f"{(at_s - zero_s) * 1000:9.1f} {text}" for at_s, text in sorted(rows) if at_s >= zero_s - _STORY_S]
    return (*story, *cell.phone_log[-_LOG_LINES:], *cell.bridge.log_tail(_LOG_LINES))
