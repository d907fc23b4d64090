"""The command `phoneterm pbx`: how fast a PBX starts a transfer. Does not measure; `measure` does."""

import asyncio
import logging
from typing import Annotated

import structlog
import typer
from lab_parts.parts import PartMissing
from pbx_lab.process import LabFailed
from phoneterm_bridge.pbx.asterisk.features import MIN_DTMF_DEFAULT_MS
from phoneterm_bridge.pbx.asterisk.speed import FASTEST_MIN_DTMF_MS

from pbx_bench.measure import Figures, measure
from pbx_bench.ways import WAYS, start_by_atxfer, start_by_bridge

app = typer.Typer(help="Measure how fast a PBX starts a transfer.", no_args_is_help=True)

MIN_DTMF_MS = (FASTEST_MIN_DTMF_MS, MIN_DTMF_DEFAULT_MS)
MOST_OF_ATXFER = 0.5  # the bridge's fastest way compared with Atxfer, on any machine
_ROW = "{:<42}{:>16}{:>14}"


@app.callback()
def pbx() -> None:
    """Measure how fast a PBX starts a transfer."""


@app.command()
def bench(
    transfers: Annotated[int, typer.Option(help="How often each way is tried.", min=1, max=1000)] = 7,
) -> None:
    """Start attended transfers in every way there is, on a real Asterisk, side by side."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        asyncio.run(_bench(transfers))
    except (PartMissing, LabFailed, ConnectionError) as failure:
        typer.echo(str(failure), err=True)
        raise typer.Exit(1) from None
    except TimeoutError:
        typer.echo("A transfer did not begin within 5 s: is the machine very busy? Try it again.", err=True)
        raise typer.Exit(1) from None


async def _bench(transfers: int) -> None:
    """Print the tables; typer.Exit when the bridge is not as fast as it should be."""
    typer.echo(f"Asterisk, first action -> caller on hold / colleague dialled, medians of {transfers} transfers in ms.")
    is_missed = False
    for min_dtmf_ms in MIN_DTMF_MS:
        default = ", as Asterisk is compiled" if min_dtmf_ms == MIN_DTMF_DEFAULT_MS else ""
        typer.echo(f"\nmindtmfduration = {min_dtmf_ms} in asterisk.conf{default}")
        typer.echo(_ROW.format("way", "hold / dialled", "known"))
        figures = []
        for codes in ("stock", "letters"):
            found = await measure([way for way in WAYS if way.codes == codes], min_dtmf_ms, transfers)
            figures += found.figures
            for one in found.figures:
                typer.echo(_line(one))
            lines = "; ".join(map(str, found.speed.faster_with)) or "nothing"
            typer.echo(f"  found at connect: {found.speed.way}; faster with: {lines}")
        is_missed = _is_missed(figures) or is_missed
    raise typer.Exit(1 if is_missed else 0)


def _line(figures: Figures) -> str:
    known = figures.way.known_ms.get(figures.min_dtmf_ms)
    shown = f"{figures.hold_ms:.0f} / {figures.dialled_ms:.0f}"
    beside = f"{known[0]} / {known[1]}" if known else "-"
    return _ROW.format(figures.way.name, shown, beside)


def _is_missed(found: list[Figures]) -> bool:
    """Say whether the bridge is too slow, compared with Atxfer in the same run."""
    atxfer = next(one for one in found if one.way.start is start_by_atxfer)
    best = min(one.dialled_ms for one in found if one.way.start is start_by_bridge)
    share = best / atxfer.dialled_ms
    typer.echo(f"the bridge at its fastest: {share:.2f} of Atxfer (limit {MOST_OF_ATXFER})")
    return share > MOST_OF_ATXFER
