"""A bounded atheris run over the decoders: python -m fault_lab.fuzz [--target NAME] [--seconds N].

Does not belong to `make test`: atheris is not in the lock file, and hypothesis does the same checks there. An input
that breaks a check is printed by atheris and kept as a file in the present folder.
"""

import importlib
import importlib.util
import multiprocessing
import sys
from typing import Annotated

import typer

TARGETS = ("device", "messages", "topics", "connect", "cutter")  # the names of decoder_checks.CHECKS
MOST_BYTES = 700  # of an input: longer than the longest message of the contract

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def fuzz(
    target: Annotated[str, typer.Option(help="One decoder, or all of them.")] = "all",
    seconds: Annotated[int, typer.Option(help="How long, for each decoder.", min=1, max=86400)] = 60,
) -> None:
    """Fuzz the decoders with atheris, each in a process of its own."""
    if target not in ("all", *TARGETS):
        _fail(f"--target can be all, {', '.join(TARGETS)}, not {target}.")
    if importlib.util.find_spec("atheris") is None:
        _fail("atheris is not installed: pip install atheris (it needs CPython 3.11 to 3.13 on Linux).")
    broken = []
    for name in TARGETS if target == "all" else (target,):
        process = multiprocessing.get_context("spawn").Process(target=_run, args=(name, seconds))
        process.start()
        process.join()
        typer.echo(f"{name}: {'ok' if process.exitcode == 0 else 'BROKEN'} after at most {seconds} s")
        broken += [name] if process.exitcode else []
    raise typer.Exit(1 if broken else 0)


def _run(name: str, seconds: int) -> None:
    """Fuzz one decoder; atheris ends the process."""
    import atheris  # type: ignore

    with atheris.instrument_imports(include=["phoneterm", "phoneterm_bridge.connect_packet", "fault_lab"]):
        checks = importlib.import_module("fault_lab.decoder_checks").CHECKS
    options = [f"-max_total_time={seconds}", f"-max_len={MOST_BYTES}", "-rss_limit_mb=1024", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options], checks[name])
    atheris.Fuzz()


def _fail(sentence: str) -> None:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
