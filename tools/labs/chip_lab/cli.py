"""`phoneterm chip`: measures the firmware on an emulated ESP32, or uses it for hours. Does no work of its own."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, NoReturn

import typer
from lab_parts.parts import PartMissing
from pbx_lab.process import LabFailed
from phoneterm_bridge.wording.logs import set_up_logs
from virtual_phone.client import PhoneError

from chip_lab import bench as benchmark
from chip_lab import soak as soaking
from chip_lab.tls import TimeServerFailed

app = typer.Typer(help="The firmware on an emulated ESP32 (ESP32_CHIP).", no_args_is_help=True)


@app.command()
def bench(
    taps: Annotated[int, typer.Option(help="Taps of each length.", min=0, max=10_000)] = 200,
    tls: Annotated[bool, typer.Option(help="Also how far it gets with TLS.")] = True,
) -> None:
    """Print the chip's memory at the start, when ready and at the least, how many taps it hears, and how late."""
    if tls:
        _print(benchmark.check_tls())
    _print(benchmark.measure_start())
    _print(benchmark.measure_plain(taps))
    if tls:
        _print(benchmark.measure_tls())


@app.command()
def soak(minutes: Annotated[float, typer.Option(help="How long.", min=0.1, max=10_000)] = 60) -> None:
    """Transfer call after call, and print the terminal's reports meanwhile."""
    _print(soaking.soak(minutes * 60))


def _print(lines: AsyncIterator[str]) -> None:
    set_up_logs("console", "error")
    try:
        asyncio.run(_each(lines))
    except (PartMissing, PhoneError, LabFailed, TimeServerFailed, soaking.SoakFailed) as problem:
        _fail(str(problem))


async def _each(lines: AsyncIterator[str]) -> None:
    async for line in lines:
        typer.echo(line)


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence[:1].upper() + sentence[1:], err=True)
    raise typer.Exit(1)
