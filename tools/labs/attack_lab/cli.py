"""The command `phoneterm attack`: has the probes run and prints the table. Does not attack anything itself."""

import asyncio
import signal
import time
from contextlib import aclosing, suppress
from typing import Annotated

import typer
from lab_parts import parts

from attack_lab.every_probe import PROBES
from attack_lab.probe import Probe
from attack_lab.site import BROKERS, MOSQUITTO
from attack_lab.watch import WITHIN_S, Result, watch

_ROW = "{:<27}{:<11}{:<10}{:>5}  {}"
_INTERRUPTED = 130


def attack(
    broker: Annotated[str, typer.Option(help="Which broker: both, embedded or mosquitto.")] = "both",
    only: Annotated[list[str] | None, typer.Option(help="Only this probe, by its name; may be repeated.")] = None,
    is_short: Annotated[bool, typer.Option("--short", help="A few cases of each probe, as `make test` does.")] = False,
    is_list: Annotated[bool, typer.Option("--list", help="List the probes, and attack nothing.")] = False,
    within: Annotated[float, typer.Option(help="After so many seconds nothing more is tried.", min=1)] = WITHIN_S,
) -> None:
    """Run every probe on both brokers, print what held, and end with exit code 1 if one did not."""
    if broker not in ("both", *BROKERS):
        _fail(f"--broker can be both, {', '.join(BROKERS)}, not {broker}.")
    probes = _choose(only or [])
    if is_list:
        for probe in probes:
            typer.echo(f"{probe.name:<27}{', '.join(probe.brokers):<22}{probe.sentence}")
        return
    brokers = BROKERS if broker == "both" else (broker,)
    try:
        part = parts.find("mosquitto") if MOSQUITTO in brokers else None
    except parts.PartMissing as missing:
        _fail(f"{missing} Or use --broker embedded.")
    try:
        results = asyncio.run(_run(probes, brokers, part, is_short, within))
    except (KeyboardInterrupt, asyncio.CancelledError):
        typer.echo("Interrupted; everything that was started has ended.", err=True)
        raise typer.Exit(_INTERRUPTED) from None
    raise typer.Exit(0 if all(result.has_held for result in results) else 1)


def _choose(names: list[str]) -> list[Probe]:
    known = {probe.name: probe for probe in PROBES}
    for name in names:
        if name not in known:
            _fail(f"There is no probe {name!r}; `phoneterm attack --list` has all of them.")
    return [known[name] for name in names] or list(PROBES)


async def _run(
    probes: list[Probe], brokers: tuple[str, ...], part: parts.Part | None, is_short: bool, within_s: float
) -> list[Result]:
    """Run all, print a row for each, and the count."""
    task = asyncio.current_task()
    assert task is not None
    with suppress(NotImplementedError):  # not on Windows
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    started_s = time.monotonic()
    typer.echo(_ROW.format("attack", "broker", "", "s", "what it tried"))
    results = []
    async with aclosing(watch(probes, brokers, part, is_short, within_s)) as seen:
        async for result in seen:
            results.append(result)
            _print_row(result)
    held = sum(result.has_held for result in results)
    typer.echo(f"{held} of {len(results)} held, in {time.monotonic() - started_s:.0f} s.")
    return results


def _print_row(result: Result) -> None:
    word = "held" if result.has_held else "NOT HELD"
    probe = result.probe
    typer.echo(_ROW.format(probe.name, result.broker, word, f"{result.took_s:.1f}", probe.sentence))
    if not result.has_held:
        typer.echo(f"    seen: {result.seen}")


def _fail(sentence: str) -> None:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
