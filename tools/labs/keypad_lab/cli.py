"""The commands of `phoneterm keys`: replay a trace, generate one, compare the scanner with its peers.

Does no work of its own. A bad trace gives one sentence on stderr and exit code 1.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn, TextIO

import typer
from phoneterm.core.debounce import Debouncer
from phoneterm.core.keymap import STANDARD_LEGENDS, Keymap
from phoneterm.core.scanner import FAST_MS, IDLE_MS, Scanner

from keypad_lab import bench as benchmark
from keypad_lab.generate import HABITS, Press
from keypad_lab.generate import generate as make_recording
from keypad_lab.replay import Replay, TraceMatrix
from keypad_lab.summary import Summary
from keypad_lab.trace import TraceError, read_rows, write_rows

app = typer.Typer(help="Traces of a keypad's contacts, and the firmware's own scanner on them.", no_args_is_help=True)


@app.command()
def replay(
    trace: Annotated[Path, typer.Argument(help="CSV: time_us,contacts,stall_us.", show_default=False)],
    legends: Annotated[str, typer.Option(help="The 16 legends, row by row.")] = STANDARD_LEGENDS,
    idle_ms: Annotated[int, typer.Option(min=1, max=100, help="Between probes while nothing is down.")] = IDLE_MS,
    fast_ms: Annotated[int, typer.Option(min=1, max=100, help="Between samples while a contact settles.")] = FAST_MS,
    work_us: Annotated[int, typer.Option(min=0, max=100_000, help="What one poll takes on a slow chip.")] = 0,
) -> None:
    """Run a trace through the firmware's scanner; print time_ms,legend,down|up for each change, then a summary."""
    try:
        keymap = Keymap(legends)
    except ValueError as error:
        _fail(f"--legends: {error}.")
    matrix = TraceMatrix()
    scanner = Scanner(matrix, Debouncer(), idle_ms, fast_ms)
    with _open(trace) as file:
        try:
            _print_replay(Replay(read_rows(file), matrix, scanner, work_us), scanner, keymap)
        except TraceError as error:
            _fail(f"{trace}: {error}")


@app.command()
def generate(
    target: Annotated[Path, typer.Argument(help="The trace to write.", show_default=False)],
    habit: Annotated[str, typer.Option(help=f"Who types: {', '.join(HABITS)}.")] = "clean",
    presses: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many keys.")] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same trace.")] = 1,
    truth: Annotated[Path | None, typer.Option(help="Also write what was pressed: time_us,legend,down|up.")] = None,
) -> None:
    """Write the trace of someone typing, with bounce, spikes, roll-over or stalls."""
    if habit not in HABITS:
        _fail(f"--habit {habit} is not known: choose one of {', '.join(HABITS)}.")
    recording = make_recording(HABITS[habit], presses, seed)
    try:
        with target.open("w", encoding="ascii") as file:
            rows = write_rows(file, recording.rows)
        if truth:
            truth.write_text(_truth(recording.presses), encoding="ascii")
    except OSError as error:
        _fail(f"{error.filename} cannot be written: {error.strerror}.")
    typer.echo(f"{target}: {presses} presses in {rows} rows.")


@app.command()
def bench(
    presses: Annotated[int, typer.Option(min=100, max=100_000, help="In each recording.")] = 2000,
    costs: Annotated[bool, typer.Option(help="Also measure one look on the MicroPython VM.")] = True,
) -> None:
    """Compare the scanner with other firmwares' algorithms; exit code 1 where it does not keep its limits."""
    typer.echo(f"{presses} presses each, seeds {benchmark.SEEDS}; latency from the first contact, the worse seed's.")
    lines = list(benchmark.compare(presses))
    for text in benchmark.table(lines):
        typer.echo(text)
    if costs:
        for text in benchmark.cost_table():
            typer.echo(text)
    sentences = benchmark.failures(lines)
    typer.echo("")
    typer.echo(
        "\n".join(sentences) or "All limits are kept: 5 / 10 ms, no extra key, no wrong order, 1 in 1000 missed."
    )
    raise typer.Exit(1 if sentences else 0)


def _print_replay(run: Replay, scanner: Scanner, keymap: Keymap) -> None:
    summary = Summary(keymap)
    try:
        for event in run.events():
            summary.add(event)
            if event.kind in ("down", "up"):
                print(f"{event.time_us / 1000:.3f},{keymap.legend(event.key_index)},{event.kind}")
        for line in summary.lines(run, scanner):
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader of a pipe has closed it


@contextlib.contextmanager
def _open(trace: Path) -> Iterator[TextIO]:
    try:
        file = trace.open(encoding="utf-8", errors="replace")
    except OSError as error:
        _fail(f"{trace} cannot be read: {error.strerror}.")
    with file:
        yield file


def _truth(presses: list[Press]) -> str:
    keymap = Keymap()
    edges = [(press.down_us, press.key_index, "down") for press in presses]
    edges += [(press.up_us, press.key_index, "up") for press in presses]
    lines = [f"{time_us},{keymap.legend(index)},{kind}" for time_us, index, kind in sorted(edges)]
    return "\n".join(["time_us,legend,event", *lines, ""])


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
