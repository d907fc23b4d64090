"""A bounded atheris run over the decoders: python -m fault_lab.fuzz [--target NAME] [--seconds N] [--runs N].

Does not know what must be true; `decoder_checks` does. An input that breaks a check is kept as a file, and named.
atheris needs CPython 3.11 to 3.13 on Linux and is only a development dependency.
"""

import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

TARGETS = ("device", "messages", "topics", "connect", "cutter", "ami", "broker")  # the names of decoder_checks.CHECKS
CHECKS_MODULE = "fault_lab.decoder_checks"
MOST_BYTES = 700  # of an input: longer than the longest message of the contract
_MOST_MEMORY_MIB = 512
_LOG_NAME = "log"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True)
class Bounds:
    """The limits of fuzzing one decoder: whichever comes first."""

    seconds: int
    runs: int


@app.command()
def fuzz(
    target: Annotated[str, typer.Option(help="One decoder, or all of them.")] = "all",
    seconds: Annotated[int, typer.Option(help="How long at most, for each decoder.", min=1, max=86400)] = 60,
    runs: Annotated[int, typer.Option(help="How many inputs at most, for each decoder.", min=1)] = 1_000_000,
    folder: Annotated[Path, typer.Option(help="For inputs that break something.")] = Path("build/fuzz"),
) -> None:
    """Fuzz the decoders with atheris, each in a process of its own."""
    if target not in ("all", *TARGETS):
        _fail(f"--target can be all, {', '.join(TARGETS)}, not {target}.")
    if importlib.util.find_spec("atheris") is None:
        _fail("atheris is not installed: pip install atheris (it needs CPython 3.11 to 3.13 on Linux).")
    sentences = [fuzz_one(name, Bounds(seconds, runs), folder) for name in (TARGETS if target == "all" else (target,))]
    raise typer.Exit(0 if all(sentences) else 1)


def fuzz_one(name: str, bounds: Bounds, folder: Path, checks: str = CHECKS_MODULE) -> bool:
    """Fuzz one decoder, print one line, and return whether its check passed; `checks` is a module with CHECKS."""
    own = folder.absolute() / name
    own.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={bounds.seconds}", f"-runs={bounds.runs}", f"-max_len={MOST_BYTES}",
        f"-rss_limit_mb={_MOST_MEMORY_MIB}", f"-artifact_prefix={own}/",
    ]  # fmt: skip
    command = [sys.executable, "-m", "fault_lab.fuzz_process", name, checks, *options]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
    (own / _LOG_NAME).write_text(ended.stdout + ended.stderr)
    done = next((line for line in ended.stderr.splitlines() if line.startswith("Done ")), "")
    if ended.returncode == 0 and done:
        typer.echo(f"{name}: ok, {done.removeprefix('Done ')}")
        return True
    kept = ", ".join(str(path) for path in sorted(own.glob("crash-*"))) or "no input"
    typer.echo(f"{name}: BROKEN; kept: {kept}; its last words are in {own / _LOG_NAME}")
    return False


def _fail(sentence: str) -> None:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
