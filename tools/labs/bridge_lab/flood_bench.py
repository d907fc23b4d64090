"""Measures what one terminal at full flood does to the others, and to the bridge's memory. Does not print.

The others' delay is from the terminal to the PBX, 99th percentile, with the same even load before, during and after.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from statistics import quantiles

from bridge_lab import flooder, worker
from bridge_lab.bench import match, measure_hello
from bridge_lab.scene import Scene

TERMINALS = 200
PER_S = 100.0
MOST_TIMES, MOST_GROWTH_MB = 2.0, 20.0
_LEAST_JUDGED_MS = 5.0  # twice of less than this is the machine, not the flood
_BEFORE, _AFTER = "before", "after"
_SHORT_S = 0.2


@dataclass(frozen=True)
class Flooded:
    """The others beside one flood; growth_mb: of the bridge, since before the first flood."""

    name: str
    commands: int
    p99_ms: float
    growth_mb: float
    flood: dict
    problems: list[str] = field(default_factory=list)


async def measure_floods(is_embedded: bool, seconds: float, in_turn: int) -> AsyncIterator[Flooded]:
    """Measure without a flood, with each kind of it, and after `in_turn` floods one after another."""
    async with Scene(TERMINALS + 1, TERMINALS, is_embedded=is_embedded, is_watched=False) as scene:
        await scene.join(TERMINALS)
        await measure_hello(scene)
        await _measure(scene, "warm", seconds / 2)
        start = worker.resident_bytes(scene.subject.pid)
        yield await _measure(scene, _BEFORE, seconds, start)
        for kind in flooder.KINDS:
            flooding = asyncio.create_task(_flood(scene, kind, seconds + 1))
            yield await _measure(scene, kind, seconds, start, flooding)
        count = {"messages": 0, "ended": 0}
        for number in range(in_turn):
            told = await _flood(scene, flooder.KINDS[number % len(flooder.KINDS)], _SHORT_S)
            count = {name: count[name] + told[name] for name in count}
        after = await _measure(scene, _AFTER, seconds, start)
        yield Flooded(_AFTER, after.commands, after.p99_ms, after.growth_mb, count, after.problems)


def failures_of_floods(flooded: list[Flooded]) -> list[str]:
    """Return one sentence for each limit that is missed."""
    before = next(one for one in flooded if one.name == _BEFORE)
    most_ms = MOST_TIMES * max(before.p99_ms, _LEAST_JUDGED_MS)
    missed = []
    for one in flooded:
        missed += one.problems[:5]
        if one.p99_ms > most_ms:
            missed.append(f"{one.name}: the others' 99th percentile of {one.p99_ms:.1f} ms is over {most_ms:.1f} ms.")
        if one.growth_mb > MOST_GROWTH_MB:
            missed.append(f"{one.name}: the bridge has grown by {one.growth_mb:.1f} MB, over {MOST_GROWTH_MB:g} MB.")
    return missed


async def _flood(scene: Scene, kind: str, seconds: float) -> dict:
    one = scene.identities[TERMINALS]
    identity = {"port": scene.broker_port, "base": scene.settings.broker.base, "tid": one.tid}
    return await scene.flooder.ask(
        seconds + 30, do="flood", kind=kind, seconds=seconds, password=one.password, **identity
    )


async def _measure(
    scene: Scene, name: str, seconds: float, start_bytes: int = 0, flooding: asyncio.Task | None = None
) -> Flooded:
    await scene.pbx.ask(do="forget")
    tally = await scene.crowd.ask(seconds + 60, do="send", seconds=seconds, per_second=PER_S)
    flood = await flooding if flooding is not None else {}
    if "failed" in tally:
        raise worker.WorkerFailed(f"The crowd could not send: {tally['failed']}.")
    report = await scene.pbx.ask(do="report")
    delays_ms, problems = match(tally["sent"], {f"load-{tid}": times for tid, times in report["asked"].items()})
    problems += [f"{n} commands ended as {what}" for what, n in tally["results"].items() if what != "done"]
    growth_mb = (worker.resident_bytes(scene.subject.pid) - start_bytes) / 1e6
    p99_ms = quantiles(delays_ms, n=100)[98] if len(delays_ms) > 1 else float("inf")
    return Flooded(name, sum(map(len, tally["sent"].values())), p99_ms, growth_mb, flood, problems + tally["wrong"])
