"""The report of one run, and a readable log of a failed one. Does not judge."""

from dataclasses import dataclass

from fault_lab.cell import Cell
from fault_lab.plan import Outage, Plan

_STORY_S = 15.0
_LOG_LINES = 15


@dataclass(frozen=True)
class Report:
    """The result of a run: one of verdict.ENDS or "broken", why, the terminal's last word, and details for people.

    phases: the time until the first key, until the last word, until everything was healed, and in total.
    outages: those that happened, because their step was reached. tries: how often the plan was played, because the
    computer kept the phone from hearing the command.
    """

    plan: Plan
    end: str
    why: str
    word: str
    phases: tuple[float, ...]
    outages: tuple[Outage, ...]
    details: tuple[str, ...]
    tries: int = 1


def tell_story(cell: Cell, zero_s: float) -> tuple[str, ...]:
    """Return the events of phone, PBX and proxies, in ms from `zero_s` on, and the ends of both logs."""
    rows = [(at_ms / 1000, f"display {text}") for at_ms, text in cell.lines]
    rows += [(at_ms / 1000, f"signal {name}") for at_ms, name in cell.signals]
    rows += [(done.at_ms / 1000, f"PBX did {done.op} of {done.channel}") for done in cell.lab.done]
    for side, proxy in cell.proxies.items():
        rows += [(at_s, f"{side} side {way}: {what} of {name}") for at_s, way, name, what in proxy.log]
    story = [f"{(at_s - zero_s) * 1000:9.1f} {text}" for at_s, text in sorted(rows) if at_s >= zero_s - _STORY_S]
    return (*story, *cell.phone_log[-_LOG_LINES:], *cell.bridge.log_tail(_LOG_LINES))
