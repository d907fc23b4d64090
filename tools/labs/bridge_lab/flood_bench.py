"""Measures what one terminal at full flood does to the others, and to the bridge's memory. Does not print.

The others' delay is from the terminal to the PBX, 99th percentile, with the same even load alone and beside a flood in
turn, because the machine itself changes: of several rounds the middle one counts.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from statistics import median, quantiles

from bridge_lab import flooder, worker
from bridge_lab.bench import match, measure_hello
from bridge_lab.scene import Scene

TERMINALS = 200
PER_S = 100.0
MOST_TIMES, MOST_GROWTH_MB = 2.0, 20.0
_LEAST_JUDGED_MS = 5.0  # twice of less than this is the machine, not the flood
_AFTER = "after"
_ROUNDS = 3
_SHORT_S = 0.2


@dataclass(frozen=True)
class Flooded:
    """The others beside one kind of flood; p99_ms, alone_ms: of each round, beside it and alone.

    growth_mb: of the bridge, since before the first flood. flood: what the flooder counted.
    """

    name: str
    commands: int
    p99_ms: list[float]
    alone_ms: list[float]
    growth_mb: float
    flood: dict[str, int]
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Round:
    commands: int
    p99_ms: float
    flood: dict[str, int]
    problems: list[str]


async def measure_floods(
    is_embedded: bool, seconds: float, in_turn: int, others: int = TERMINALS, rounds: int = _ROUNDS
) -> AsyncIterator[Flooded]:
    """Measure `rounds` times beside each kind of flood, and after `in_turn` floods one after another."""
    async with Scene(others + 1, others, is_embedded=is_embedded, is_watched=False) as scene:
        await scene.join(others)
        await measure_hello(scene)
        await _measure(scene, seconds / 2)
        start = worker.resident_bytes(scene.subject.pid)
        alone: list[_Round] = []
        for kind in flooder.KINDS:
            beside = []
            for _ in range(rounds):
                alone.append(await _measure(scene, seconds))
                flooding = asyncio.create_task(_flood(scene, kind, seconds + 1))
                beside.append(await _measure(scene, seconds, flooding))
            yield _join(scene, kind, beside, alone[-rounds:], start, _add([one.flood for one in beside]))
        told = [await _flood(scene, flooder.KINDS[number % len(flooder.KINDS)], _SHORT_S) for number in range(in_turn)]
        after = [await _measure(scene, seconds) for _ in range(rounds)]
        yield _join(scene, _AFTER, after, alone, start, _add(told))


def failures_of_floods(flooded: list[Flooded]) -> list[str]:
    """Return one sentence for each limit that is missed."""
    missed = []
    for one in flooded:
        missed += one.problems[:5]
        p99_ms, most_ms = median(one.p99_ms), MOST_TIMES * max(median(one.alone_ms), _LEAST_JUDGED_MS)
        if p99_ms > most_ms:
            missed.append(f"{one.name}: the others' 99th percentile of {p99_ms:.1f} ms is over {most_ms:.1f} ms.")
        if one.growth_mb > MOST_GROWTH_MB:
            missed.append(f"{one.name}: the bridge has grown by {one.growth_mb:.1f} MB, over {MOST_GROWTH_MB:g} MB.")
    return missed


def _join(
    scene: Scene, name: str, beside: list[_Round], alone: list[_Round], start_bytes: int, flood: dict[str, int]
) -> Flooded:
    growth_mb = (worker.resident_bytes(scene.subject.pid) - start_bytes) / 1e6
    beside_ms, alone_ms = ([one.p99_ms for one in some] for some in (beside, alone))
    problems = [problem for one in (*alone[-len(beside) :], *beside) for problem in one.problems]
    return Flooded(name, sum(one.commands for one in beside), beside_ms, alone_ms, growth_mb, flood, problems)


def _add(told: list[dict[str, int]]) -> dict[str, int]:
    return {name: sum(one.get(name, 0) for one in told) for name in ("messages", "ended")}


async def _flood(scene: Scene, kind: str, seconds: float) -> dict:
    one = scene.identities[-1]
    identity = {"port": scene.broker_port, "base": scene.settings.broker.base, "tid": one.tid}
    return await scene.flooder.ask(
        seconds + 30, do="flood", kind=kind, seconds=seconds, password=one.password, **identity
    )


async def _measure(scene: Scene, seconds: float, flooding: asyncio.Task | None = None) -> _Round:
    await scene.pbx.ask(do="forget")
    tally = await scene.crowd.ask(seconds + 60, do="send", seconds=seconds, per_second=PER_S)
    flood = await flooding if flooding is not None else {}
    if "failed" in tally:
        raise worker.WorkerFailed(f"The crowd could not send: {tally['failed']}.")
    report = await scene.pbx.ask(do="report")
    delays_ms, problems = match(tally["sent"], {f"load-{tid}": times for tid, times in report["asked"].items()})
    problems += [f"{n} commands ended as {what}" for what, n in tally["results"].items() if what != "done"]
    p99_ms = quantiles(delays_ms, n=100)[98] if len(delays_ms) > 1 else float("inf")
    return _Round(sum(map(len, tally["sent"].values())), p99_ms, flood, problems + tally["wrong"])
