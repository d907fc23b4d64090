"""Measures how much later commands are while something else runs beside: a page, an import, `why`, logins. No printing.

The same even load alone and beside in turn, because the machine itself changes: of the 99th percentiles of the rounds,
the middle one counts. With a mosquitto the delay is the bridge's own, with the embedded broker the one from terminal to
PBX. Programs that run beside share the core of the bench, and are nice to it.
"""

import asyncio
import itertools
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from phoneterm_bridge.mqtt import packets

from bridge_lab import site, worker
from bridge_lab.bench import Flow, measure_flow, measure_hello
from bridge_lab.scene import Scene

TERMINALS, PER_S = 250, 200.0  # as many as have metrics of their own
FEW_TERMINALS, FEW_PER_S = 30, 30.0  # what the embedded broker is meant for
MOST_MORE_MS = 20.0
_METRICS_EVERY_S, _HEALTH_EVERY_S = 0.1, 0.01
_MOST_OF_ONE_PER_S = 5.0  # far below a terminal's budget
_IMPORTED = 50
_ROUNDS, _MORE_TRIES = 3, 3
_LOGINS_AT_ONCE = 4
_KEEPALIVE_S = 60
_NICE = ("nice", "-n", "10")

# Does something once.
Work = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True)
class Beside:
    """Commands while something ran beside; p99_ms, alone_ms: of each round, beside and alone; times: it was done."""

    name: str
    commands: int
    p99_ms: list[float]
    alone_ms: list[float]
    times: int
    problems: list[str] = field(default_factory=list)

    @property
    def more_ms(self) -> float:
        """By how much the p99 is higher than alone."""
        return median(self.p99_ms) - median(self.alone_ms)


async def measure_beside(
    seconds: float, journalled: int, terminals: int = TERMINALS, rounds: int = _ROUNDS
) -> AsyncIterator[Beside]:
    """Measure alone and beside each work in turn, first with a mosquitto and a journal of so many commands."""
    numbers = itertools.count(1)
    works: dict[str, Work] = {
        "/metrics": _scrape, "/healthz": _look, "why": _ask_why, "import": lambda scene: _import(scene, next(numbers)),
    }  # fmt: skip
    async with Scene(terminals, terminals, has_pages=True, journalled=journalled) as scene:
        per_s = min(PER_S, terminals * _MOST_OF_ONE_PER_S)
        async for one in _measure_all(scene, works, terminals, per_s, seconds, rounds, "p99_ms"):
            yield one
    logins: dict[str, Work] = {"wrong passwords": _log_in_wrongly}
    few = min(FEW_TERMINALS, terminals)
    async with Scene(few, few, is_embedded=True) as scene:
        per_s = min(FEW_PER_S, few * _MOST_OF_ONE_PER_S)
        async for one in _measure_all(scene, logins, few, per_s, seconds, rounds, "whole_p99_ms"):
            yield one


def failures_of_beside(rows: list[Beside]) -> list[str]:
    """Return one sentence for each limit that is missed."""
    missed = []
    for one in rows:
        missed += one.problems[:5]
        if one.more_ms > MOST_MORE_MS:
            missed.append(f"Beside {one.name}: the p99 is {one.more_ms:.1f} ms later, over {MOST_MORE_MS:g} ms.")
    return missed


async def _measure_all(
    scene: Scene, works: dict[str, Work], terminals: int, per_s: float, seconds: float, rounds: int, figure: str
) -> AsyncIterator[Beside]:
    await scene.join(terminals)
    await measure_hello(scene)
    await scene.crowd.ask(do="report")
    await measure_flow(scene, 0, seconds / 2, per_s)  # until all caches are warm
    for name, work in works.items():
        alone, beside, times = [], [], 0
        for _ in range(rounds):
            alone.append(await measure_flow(scene, 0, seconds, per_s))
            flow, done = await _measure_one(scene, work, per_s, seconds)
            beside.append(flow)
            times += done
        problems = [problem for flow in (*alone, *beside) for problem in flow.problems]
        if not times:
            problems.append(f"{name} was not done once beside the commands")
        commands = sum(flow.commands for flow in beside)
        beside_ms, alone_ms = ([float(getattr(flow, figure)) for flow in flows] for flows in (beside, alone))
        yield Beside(name, commands, beside_ms, alone_ms, times, problems)


async def _measure_one(scene: Scene, work: Work, per_s: float, seconds: float) -> tuple[Flow, int]:
    """Measure beside a work that is done again and again, until it was done once; return how often it was."""
    times, is_over = 0, False

    async def go_on() -> None:
        nonlocal times
        while not is_over:
            await work(scene)
            times += not is_over

    going = asyncio.create_task(go_on())
    try:
        flow = await measure_flow(scene, 0, seconds, per_s)
        for _ in range(_MORE_TRIES):
            if not times:  # what counts is the time in which it comes to its end
                flow = await measure_flow(scene, 0, seconds, per_s)
        is_over = True
        await going
    finally:
        going.cancel()
        await asyncio.wait([going])
    return flow, times


async def _scrape(scene: Scene) -> None:
    await scene.read_page("/metrics")
    await asyncio.sleep(_METRICS_EVERY_S)


async def _look(scene: Scene) -> None:
    await scene.read_page("/healthz")
    await asyncio.sleep(_HEALTH_EVERY_S)


async def _ask_why(scene: Scene) -> None:
    await _run(scene, "why", str(site.FIRST_EXTENSION + 1))


async def _import(scene: Scene, number: int) -> None:
    """Import new terminals, each with a user and an extension of its own."""
    path = scene.folder / f"{number}.csv"
    head = "user,multi_user_aware,extension,terminal,operations,classes\n"
    names = [f"{number}-{index}" for index in range(_IMPORTED)]
    rows = (f"user-{one},yes,{one.replace('-', '0')},new-{one},blind,internal\n" for one in names)
    path.write_text(head + "".join(rows))
    await _run(scene, "user", "import", str(path), "--output", str(scene.folder / f"new-{number}"), "--here")


async def _run(scene: Scene, *words: str) -> None:
    """Run a command of `phoneterm` to its end, on the core of the bench."""
    phoneterm = str(Path(sys.executable).with_name("phoneterm"))
    environment = os.environ | site.secrets_environment(scene.secret)
    argv = ["taskset", "-c", scene.other_cores, *_NICE, phoneterm, *words, *site.overrides(scene.settings)]
    process = await asyncio.create_subprocess_exec(*argv, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, env=environment)
    try:
        _, said = await process.communicate()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        raise worker.WorkerFailed(f"`phoneterm {' '.join(words[:2])}` said: {said.decode(errors='replace')[-400:]}")


async def _log_in_wrongly(scene: Scene) -> None:
    """Log in at once as several terminals, with a wrong password."""
    await asyncio.gather(*(_log_in(scene, one.tid) for one in scene.identities[:_LOGINS_AT_ONCE]))


async def _log_in(scene: Scene, tid: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", scene.broker_port)
    try:
        writer.write(packets.connect("guess", tid, "x" * 32, _KEEPALIVE_S))
        await reader.read(4)
    finally:
        writer.close()
