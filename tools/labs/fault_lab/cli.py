"""The command `phoneterm chaos`: has seeded runs with faults played and prints the tally. Does not play them itself."""

import asyncio
import logging
import secrets
import time
from collections import Counter
from typing import Annotated

import typer
from lab_parts import parts

from fault_lab.chaos import MOST_CELLS, run_all
from fault_lab.plan import EMBEDDED, MOSQUITTO, Plan, make_plan
from fault_lab.report import Report
from fault_lab.verdict import ENDS

app = typer.Typer(
    help="Break whole installations and check that they keep their promises.", pretty_exceptions_enable=False
)

_MEANING = {
    "done": "the transfer happened once and the terminal knows",
    "not-done": "it did not happen and the terminal said so",
    "unknown": "the terminal says it does not know, and the journal has the truth",
    "broken": "NONE OF THESE",
}
BROKERS = {"both": (MOSQUITTO, EMBEDDED), MOSQUITTO: (MOSQUITTO,), EMBEDDED: (EMBEDDED,)}


@app.callback(invoke_without_command=True)
def chaos(
    runs: Annotated[int, typer.Option(help="How many runs.", min=1, max=100000)] = 1000,
    seed: Annotated[int | None, typer.Option(help="Where the seeds begin; drawn if not given.", min=0)] = None,
    only: Annotated[int | None, typer.Option(help="Play the run of one seed alone.", min=0)] = None,
    broker: Annotated[str, typer.Option(help="The brokers: both, mosquitto or embedded.")] = "both",
    cells: Annotated[int, typer.Option(help="How many installations run at a time.", min=1, max=MOST_CELLS)] = 12,
    is_verbose: Annotated[bool, typer.Option("--verbose", help="Print every run.")] = False,
) -> None:
    """Play one command a run through drops, delays, duplicates, cuts, dead connections and killed servers."""
    if broker not in BROKERS:
        _fail(f"--broker can be {', '.join(BROKERS)}, not {broker}.")
    first = only if only is not None else seed if seed is not None else secrets.randbelow(10**6)
    plans = [make_plan(first + index, BROKERS[broker]) for index in range(1 if only is not None else runs)]
    try:
        part = parts.find(MOSQUITTO) if any(plan.broker == MOSQUITTO for plan in plans) else None
    except parts.PartMissing as missing:
        _fail(f"{missing} Or use --broker embedded.")
    options = "" if broker == "both" else f" --broker {broker}"
    is_verbose = is_verbose or only is not None
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns about every write to a cut connection
    is_good = asyncio.run(_play(plans, part, cells, is_verbose, options))
    raise typer.Exit(0 if is_good else 1)


async def _play(plans: list[Plan], part: parts.Part | None, cells: int, is_verbose: bool, options: str) -> bool:
    """Play all, print the tally, and say whether every run ended well."""
    typer.echo(f"{len(plans)} runs, seeds {plans[0].seed} to {plans[-1].seed}, {cells} installations at a time.")
    started_s = time.monotonic()
    reports = []
    async for report in run_all(plans, part, cells):
        reports.append(report)
        if report.end == "broken" or is_verbose:
            _print_report(report, options)
    print_tally(reports, time.monotonic() - started_s)
    return all(report.end in ENDS for report in reports)


def print_tally(reports: list[Report], took_s: float) -> None:
    """Print how the runs ended, by kind of fault and by the terminal's last word."""
    ends = Counter(report.end for report in reports)
    for end, meaning in _MEANING.items():
        typer.echo(f"{ends[end]:6}  {end:9} {meaning}")
    typer.echo(f"{len(reports):6}  runs in {took_s:.0f} s")
    again = sum(report.tries - 1 for report in reports)
    if again:
        typer.echo(f"{again:6}  played again: this computer was too busy for the phone to hear its keys")
    families: dict[str, Counter[str]] = {}
    for report in reports:
        for family in report.plan.families():
            families.setdefault(family, Counter())[report.end] += 1
    _print_table("trouble", families)
    steps: dict[str, Counter[str]] = {}
    for report in reports:
        for outage in report.outages:
            steps.setdefault(f"{outage.what}: {outage.step}", Counter())[report.end] += 1
    _print_table("away at", steps)
    words: dict[str, Counter[str]] = {}
    for report in reports:
        words.setdefault(report.word or "(nothing)", Counter())[report.end] += 1
    _print_table("last word", words)


def _print_table(title: str, rows: dict[str, Counter[str]]) -> None:
    typer.echo(f"\n{title:28}" + "".join(f"{end:>10}" for end in _MEANING))
    for name, counts in sorted(rows.items()):
        typer.echo(f"{name:28}" + "".join(f"{counts[end]:>10}" for end in _MEANING))


def _print_report(report: Report, options: str) -> None:
    plan = report.plan
    typer.echo(f"seed {plan.seed}: {report.end} ({report.word}) {report.why}\n    {plan.describe()} {report.phases}")
    for line in report.details:
        typer.echo("    " + line)
    if report.end == "broken":
        typer.echo(f"    again: phoneterm chaos --only {report.plan.seed}{options}")


def _fail(sentence: str) -> None:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
