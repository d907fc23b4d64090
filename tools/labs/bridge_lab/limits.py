"""The bridge's limits, and whether they are met: one sentence for each that is missed. Does not measure."""

from bridge_lab.bench import Flow
from bridge_lab.journal_bench import JournalFigures

IN_FLIGHT = 20
MOST_MEDIAN_MS = 2.0
MOST_P99_MS = 10.0
LEAST_PER_S = 3000.0
MOST_HELLO_S = {1000: 3.0, 10_000: 30.0}
MOST_MEGABYTES = 80.0  # at this many terminals, with the HTTP pages on
MEMORY_TERMINALS = 1000
MOST_WHY_MS = 100.0


def failures_of_flow(delay: Flow, rate: Flow) -> list[str]:
    """Judge the delay at IN_FLIGHT commands in flight, and the rate."""
    missed = [
        *_over("the median from the broker to the PBX", delay.median_ms, MOST_MEDIAN_MS, "ms"),
        *_over("the 99th percentile from the broker to the PBX", delay.p99_ms, MOST_P99_MS, "ms"),
        *(delay.problems + rate.problems)[:10],
    ]
    if rate.per_second < LEAST_PER_S:
        missed.append(f"{rate.per_second:.0f} commands a second are less than {LEAST_PER_S:.0f}.")
    return missed


def failures_of_hello(terminals: int, seconds: float, problems: list[str]) -> list[str]:
    """Judge a storm of hellos."""
    return [*_over(f"the permissions of {terminals} terminals", seconds, MOST_HELLO_S[terminals], "s"), *problems[:10]]


def failures_of_memory(megabytes: float) -> list[str]:
    """Judge the resident memory."""
    return _over("the memory at 1,000 terminals", megabytes, MOST_MEGABYTES, "MB")


def failures_of_journal(figures: JournalFigures) -> list[str]:
    """Judge the times of the journal's answers."""
    return _over(f"`why` over {figures.commands} commands", figures.slowest_ms, MOST_WHY_MS, "ms")


def _over(what: str, value: float, most: float, unit: str) -> list[str]:
    return [f"{what[0].upper()}{what[1:]}: {value:.1f} {unit} are more than {most:g} {unit}."] if value > most else []
