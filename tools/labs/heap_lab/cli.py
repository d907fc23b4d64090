"""`phoneterm heap`: how much of a chip's heap the firmware takes.

Does no work of its own. On a machine without the 32-bit MicroPython it prints a sentence and does not fail.
"""

import asyncio
import logging

import structlog
import typer
from lab_parts.parts import PartMissing

from heap_lab import by_module, measure
from heap_lab.limits import FROZEN_LIVE_BYTES, FROZEN_WORKS_BYTES, LIVE_BYTES, WORKS_BYTES

app = typer.Typer(help="How much of a chip's heap the firmware takes, on a 32-bit MicroPython.", no_args_is_help=True)


@app.callback()
def _heap() -> None:
    """Keep a single command a command of its own."""


@app.command("measure")
def print_measures() -> None:
    """Print the cost of a start by module, the heap in use at ready, and the smallest heap that works."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)  # the embedded broker has a log of its own
    try:
        _print_measures()
    finally:
        logging.disable(logging.NOTSET)
        structlog.configure(**before)


def _print_measures() -> None:
    try:
        for name, count in by_module.measure().items():
            note = by_module.DROPPED.get(name)
            typer.echo(f"{count:7d}  {name}{f', {note}' if note else ''}")
        sizes = asyncio.run(_measure())
    except PartMissing as missing:
        typer.echo(f"32-bit heap: not measured: {missing}")
        return
    typer.echo("32-bit heap: live {} B at ready, works in {} B; frozen: live {} B, works in {} B".format(*sizes))
    limits = (LIVE_BYTES, WORKS_BYTES, FROZEN_LIVE_BYTES, FROZEN_WORKS_BYTES)
    if any(size > limit for size, limit in zip(sizes, limits, strict=True)):
        typer.echo("That is more than {}, {}, {} and {} B.".format(*limits), err=True)
        raise typer.Exit(1)


async def _measure() -> tuple[int, int, int, int]:
    chip = await measure.measure_chip()
    copied = await measure.measure_live(False, chip)
    works = await measure.find_smallest(False, copied)
    frozen = await measure.measure_live(True, chip)
    return copied.bytes, works, frozen.bytes, await measure.find_smallest(True, frozen)
