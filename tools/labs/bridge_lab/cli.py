"""The command `phoneterm load`: the bridge under load, compared with what a user would otherwise build.

Does not measure; `bench`, `disk_bench` and `journal_bench` do.
"""

import asyncio
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from statistics import median
from typing import Annotated, Any, NoReturn

import typer
from lab_parts.parts import PartMissing

from bridge_lab import bench as benchmark
from bridge_lab import beside_bench, flood_bench, limits, pages_bench, peers, worker
from bridge_lab.disk_bench import measure_disk
from bridge_lab.journal_bench import JournalFigures, measure_journal
from bridge_lab.scene import MakePeer, PeerMissing, Scene

app = typer.Typer(help="Put load on the bridge, and measure.", no_args_is_help=True, pretty_exceptions_enable=False)

_FLOOD_ROW = "{:<12}{:>10}{:>24}{:>24}{:>10}{:>16}{:>9}"
_BESIDE_ROW = "{:<16}{:>10}{:>20}{:>20}{:>10}{:>8}"
_ROW = "{:<14}{:>11}{:>14}{:>11}{:>10}{:>11}{:>13}{:>13}{:>8}"
_OTHER_COLUMNS = ("whole ms", "us/command", "a core's/s", "MB")
_OURS, _NODE_RED, _PYTHON_AMI = "phoneterm", "Node-RED 4", "python-ami"
_CHECKS = """What a command goes through:
  phoneterm   signature, session, freshness, repetition, rate, permission, class of the number, which call, number in
              the dialplan, site limits, durable hash-chained journal; time and right once more before the action
  the others  nothing: what is on the topic is done, as often as it comes, and nothing is kept
"""
_CALLS, _RATE_IN_FLIGHT, _EVENLY_PER_S = 200, 200, 500.0
_DISK_S = 1.0


@app.callback()
def load() -> None:
    """Put load on the bridge, and measure."""


@app.command()
def bench(
    seconds: Annotated[float, typer.Option(help="How long each flow of commands lasts.", min=0.5, max=60)] = 5.0,
    commands: Annotated[int, typer.Option(help="How many commands the journal has.", min=100, max=1_000_000)] = 100_000,
    storm: Annotated[int, typer.Option(help="How many terminals the larger storm has.", min=10, max=15_000)] = 10_000,
    embedded: Annotated[bool, typer.Option(help="Also the broker inside the bridge.")] = True,
    with_peers: Annotated[bool, typer.Option("--peers/--no-peers", help="Also what one would build instead.")] = True,
) -> None:
    """Measure delay, rate, storms of hellos, memory and the journal; exit code 1 names every limit that is missed."""
    _conclude(_measure_all(seconds, commands, storm, embedded, with_peers))


@app.command()
def beside(
    seconds: Annotated[float, typer.Option(help="How long each load lasts.", min=0.5, max=60)] = 5.0,
    commands: Annotated[int, typer.Option(help="How many commands the journal has.", min=100, max=1_000_000)] = 100_000,
) -> None:
    """Measure how much later commands are beside a page, an import, `why` and logins; exit code 1 if it is too much."""
    _conclude(_measure_beside(seconds, commands))


@app.command()
def pages(
    seconds: Annotated[float, typer.Option(help="How long each flow of commands lasts.", min=0.5, max=60)] = 5.0,
) -> None:
    """Measure the operator's console at 1,000 terminals with 20 pages open; exit code 1 names each missed limit."""
    _conclude(_measure_pages(seconds))


@app.command()
def flood(
    seconds: Annotated[float, typer.Option(help="How long each load lasts.", min=0.5, max=60)] = 5.0,
    in_turn: Annotated[int, typer.Option(help="How many floods come one after another.", min=1, max=1000)] = 100,
    embedded: Annotated[bool, typer.Option("--embedded/--mosquitto", help="Which broker.")] = True,
) -> None:
    """Let one of 201 terminals say as much as the wire takes, and measure the others; exit code 1 if it hurts them."""
    _conclude(_measure_floods(embedded, seconds, in_turn))


def _conclude(measuring: Coroutine[Any, Any, list[str]]) -> NoReturn:
    """Measure, print each limit that is missed, and exit: with 1 if there is one, or if it cannot be measured."""
    try:
        missed = asyncio.run(measuring)
    except (PartMissing, worker.WorkerFailed, OSError) as failure:
        missed = [str(failure)]
    for sentence in missed:
        typer.echo(sentence, err=True)
    raise typer.Exit(1 if missed else 0)


async def _measure_all(seconds: float, journalled: int, storm: int, embedded: bool, with_peers: bool) -> list[str]:
    missed = await _measure_flows(seconds, with_peers)
    missed += await _measure_storms(storm, embedded)
    missed += await asyncio.to_thread(_measure_journal, journalled)
    return missed + await _measure_beside(seconds, journalled)


async def _measure_pages(seconds: float) -> list[str]:
    figures = await pages_bench.measure_pages(seconds)
    alone, beside = figures.alone, figures.beside
    updates = f"{median(figures.updates_ms):.0f} ms median, {max(figures.updates_ms):.0f} ms at most"
    delays = f"median {alone.median_ms:.2f} -> {beside.median_ms:.2f} ms, p99 {alone.p99_ms:.1f} -> {beside.p99_ms:.1f}"
    typer.echo(f"first paint of {pages_bench.TERMINALS} terminals  {figures.paint_ms:.0f} ms")
    typer.echo(f"a change is on a page after        {updates}")
    memory = f"{figures.megabytes:.1f} MB, before {figures.megabytes_before:.1f} MB"
    typer.echo(f"the bridge with {pages_bench.PAGES} pages open       {memory}")
    typer.echo(f"commands without and beside pages  {delays}")
    typer.echo(f"/healthz with {pages_bench.STREAMS} streams open      {figures.health_ms:.0f} ms")
    return pages_bench.failures_of_pages(figures)


async def _measure_beside(seconds: float, journalled: int) -> list[str]:
    typer.echo(_BESIDE_ROW.format("beside", "commands", "alone p99 ms", "p99 ms", "later ms", "times"))
    rows = []
    async for one in beside_bench.measure_beside(seconds, journalled):
        rows.append(one)
        alone, beside = (", ".join(f"{ms:.1f}" for ms in rounds) for rounds in (one.alone_ms, one.p99_ms))
        figures = (one.commands, alone, beside, f"{one.more_ms:.1f}", one.times)
        typer.echo(_BESIDE_ROW.format(one.name, *figures))
    typer.echo(_BESIDE_ROW.format("limit", "", "", "", f"{beside_bench.MOST_MORE_MS:g}", ""))
    return beside_bench.failures_of_beside(rows)


async def _measure_floods(is_embedded: bool, seconds: float, in_turn: int) -> list[str]:
    typer.echo(_FLOOD_ROW.format("flood", "commands", "alone p99 ms", "p99 ms", "MB more", "flood messages", "cut off"))
    flooded = []
    async for one in flood_bench.measure_floods(is_embedded, seconds, in_turn):
        flooded.append(one)
        alone, beside = (", ".join(f"{ms:.1f}" for ms in rounds[:3]) for rounds in (one.alone_ms, one.p99_ms))
        told = (one.flood["messages"], one.flood["ended"])
        typer.echo(_FLOOD_ROW.format(one.name, one.commands, alone, beside, f"{one.growth_mb:.1f}", *told))
    return flood_bench.failures_of_floods(flooded)


async def _measure_flows(seconds: float, with_peers: bool) -> list[str]:
    typer.echo(
        f"Blind transfers: {_CALLS} terminals -> mosquitto (nodelay) -> bridge on a core of its own -> PBX simulator"
    )
    typer.echo(
        f"on the other cores, with mosquitto and the terminals; each flow lasts {seconds:g} s. Delay: from the broker"
    )
    typer.echo("to the PBX, median and 99th percentile; whole: from the terminal to the PBX, median.")
    disk = measure_disk(_DISK_S)
    typer.echo(f"The disk alone takes {disk.median_ms:.2f} ms for a commit, 99th percentile {disk.p99_ms:.2f} ms.")
    typer.echo(_ROW.format("", "in flight", "commands/s", "median ms", "p99 ms", *_OTHER_COLUMNS))
    makers: list[tuple[str, MakePeer | None]] = [(_OURS, None)]
    if with_peers:
        makers += [(_NODE_RED, peers.make_node_red), (_PYTHON_AMI, peers.make_python_ami)]
    missed: list[str] = []
    for name, make_peer in makers:
        try:
            async with Scene(1000, _CALLS, make_peer=make_peer) as scene:
                flows = await _measure_subject(scene, name, seconds)
        except PeerMissing:
            typer.echo(f"{name} cannot be had on this machine.")
            continue
        if make_peer is None:
            missed = limits.failures_of_flow(*flows[:2])
    typer.echo(_ROW.format("limit", limits.IN_FLIGHT, f">= {limits.LEAST_PER_S:.0f}", f"{limits.MOST_MEDIAN_MS:g}",
                           f"{limits.MOST_P99_MS:g}", "", "", "", ""))  # fmt: skip
    typer.echo(_CHECKS)
    return missed


async def _measure_subject(scene: Scene, name: str, seconds: float) -> list[benchmark.Flow]:
    await scene.join(_CALLS)
    if name == _OURS:
        await benchmark.measure_hello(scene)
    await benchmark.measure_flow(scene, limits.IN_FLIGHT, 1.0)  # until all caches are warm
    flows = []
    for in_flight, per_second in ((limits.IN_FLIGHT, 0.0), (_RATE_IN_FLIGHT, 0.0), (0, _EVENLY_PER_S)):
        flow = await benchmark.measure_flow(scene, in_flight, seconds, per_second)
        megabytes = worker.resident_bytes(scene.subject.pid) / 1e6
        typer.echo(_format(name, flow, megabytes))
        flows.append(flow)
    return flows


def _format(name: str, flow: benchmark.Flow, megabytes: float) -> str:
    """Return a line of the table."""
    times = (f"{flow.per_second:.0f}", f"{flow.median_ms:.2f}", f"{flow.p99_ms:.2f}", f"{flow.whole_median_ms:.2f}")
    costs = (f"{flow.cpu_us:.0f}", f"{1e6 / flow.cpu_us:.0f}", f"{megabytes:.0f}")
    return _ROW.format(name, flow.in_flight or "evenly", *times, *costs)


async def _measure_storms(storm: int, with_embedded: bool) -> list[str]:
    missed: list[str] = []
    for terminals in (1000, storm):
        async with Scene(terminals, has_pages=True) as scene:
            await scene.join(terminals)
            seconds, problems = await benchmark.measure_hello(scene)
            await scene.scrape()
            megabytes = worker.resident_bytes(scene.subject.pid) / 1e6
        limit = limits.MOST_HELLO_S.get(terminals)
        typer.echo(f"{terminals} terminals say hello at once: all have their permissions after {seconds:.2f} s"
                   f" (limit {limit or '-'}); the bridge takes {megabytes:.1f} MB, its HTTP pages on and scraped once"
                   f" (limit {limits.MOST_MEGABYTES if terminals == limits.MEMORY_TERMINALS else '-'})")  # fmt: skip
        if limit is not None:
            missed += limits.failures_of_hello(terminals, seconds, problems)
        if terminals == limits.MEMORY_TERMINALS:
            missed += limits.failures_of_memory(megabytes)
    if with_embedded:
        async with Scene(1000, is_embedded=True) as scene:
            joined_s = await scene.join(1000)
            seconds, _ = await benchmark.measure_hello(scene)
            megabytes = worker.resident_bytes(scene.subject.pid) / 1e6
        typer.echo(f"the same on the embedded broker: 1000 logins take {joined_s:.1f} s, then hello {seconds:.2f} s;"
                   f" {megabytes:.0f} MB (no limit)")  # fmt: skip
    return missed


def _measure_journal(commands: int) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="phoneterm-bridge-lab-") as folder:
        figures: JournalFigures = measure_journal(Path(folder), commands)
    typer.echo(f"journal of {commands} commands, {figures.megabytes:.0f} MB, written at {figures.commands_per_s:.0f}/s:"
               f" the slowest `why` takes {figures.slowest_ms:.1f} ms (limit {limits.MOST_WHY_MS:g}); the command line "
               f"as a whole {figures.command_line_s:.2f} s")  # fmt: skip
    return limits.failures_of_journal(figures)
