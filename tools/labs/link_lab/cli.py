"""The command `phoneterm link`: measures of the terminal's connection to its broker. Does not measure; `bench` does."""

import asyncio
from typing import Annotated

import typer
from lab_parts.parts import PartMissing

from link_lab import bench as benchmark
from link_lab.first_connect import measure_first_connect
from link_lab.measure import MOST_DEAF_S, ClientFailed, Figures

app = typer.Typer(help="Measure the terminal's connection to its broker.", no_args_is_help=True)
_FIRST_CONNECTS = 7
_ROW = "{:<16}{:>22}{:>22}{:>26}{:>24}"


@app.callback()
def link() -> None:
    """Measure the terminal's connection to its broker."""


@app.command()
def bench(
    publishes: Annotated[int, typer.Option(help="How often each client publishes.", min=1, max=10000)] = 300,
) -> None:
    """Measure the firmware's MQTT client beside its peers, on the same VM and broker."""
    try:
        sentences = asyncio.run(_bench(publishes))
    except (PartMissing, ConnectionError, ClientFailed) as failure:
        typer.echo(str(failure), err=True)
        raise typer.Exit(1) from None
    for sentence in sentences:
        typer.echo(sentence, err=True)
    raise typer.Exit(1 if sentences else 0)


async def _bench(publishes: int) -> list[str]:
    """Print the table; return the missed limits."""
    typer.echo(f"MQTT clients on MicroPython, keepalive 15 s, mosquitto on loopback, {publishes} publishes each.")
    typer.echo(_ROW.format("client", "QoS 1 publish->ack ms", "reconnect after cut ms", "half-open noticed ms",
                           "idle garbage bytes/s"))  # fmt: skip
    ours = None
    async for row in benchmark.compare(publishes):
        if isinstance(row, Figures):
            ours = ours or row
            typer.echo(_format(row))
        else:
            typer.echo(row)
    typer.echo(_ROW.format("limit", f"{benchmark.MOST_PUBLISH_MS:g}", f"{benchmark.MOST_RECONNECT_MS:g}",
                           f"{benchmark.MOST_HALF_OPEN_MS:g}", "-"))  # fmt: skip
    garbage = await benchmark.measure_whole_firmware()
    typer.echo(f"whole firmware, connected and idle: {garbage} bytes/s of garbage (limit "
               f"{benchmark.MOST_IDLE_BYTES_PER_S})")  # fmt: skip
    first_ms = {}
    for how, most_ms in benchmark.MOST_FIRST_CONNECT_MS.items():
        first_ms[how] = await measure_first_connect(how, _FIRST_CONNECTS)
        typer.echo(f"whole firmware, first SYN to permissions in force {how}: {first_ms[how]:.0f} ms "
                   f"(limit {most_ms:g}, median of {_FIRST_CONNECTS})")  # fmt: skip
    client_bytes = benchmark.measure_client_size()
    typer.echo(f"the client compiled ({', '.join(benchmark.CLIENT_MODULES)}): {client_bytes} bytes "
               f"(limit {benchmark.MOST_CLIENT_BYTES})")  # fmt: skip
    assert ours is not None
    return benchmark.failures(ours, garbage, first_ms, client_bytes)


def _format(row: Figures) -> str:
    """Return a line of the table."""
    reconnect = "never" if row.reconnect_ms is None else f"{row.reconnect_ms:.1f}"
    half_open = f"not in {MOST_DEAF_S:g} s" if row.half_open_ms is None else f"{row.half_open_ms:.0f}"
    return _ROW.format(row.name, f"{row.publish_ms:.2f}", reconnect, half_open, row.idle_bytes_per_s)


if __name__ == "__main__":
    app()
