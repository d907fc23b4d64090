"""`phoneterm doctor`: says what is wrong with the bridge's surroundings, and which line to change.

Does no work of its own. The exit code is 1 when there is a problem; after warnings and unknown results it is 0.
"""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from phoneterm_bridge.cli.options import Config, Overrides, one_sentence, read_settings
from phoneterm_bridge.doctor.examination import examine_all
from phoneterm_bridge.doctor.finding import OK, PROBLEM, UNKNOWN, WARNING, Finding, as_fields
from phoneterm_bridge.doctor.login import read_probe_login
from phoneterm_bridge.settings.place import find_place
from phoneterm_bridge.wording.logs import set_up_logs
from phoneterm_bridge.wording.outside import show

_COUNTED = {
    PROBLEM: ("problem", "problems"),
    WARNING: ("warning", "warnings"),
    UNKNOWN: ("not known",) * 2,
    OK: ("ok",) * 2,
}


def doctor(
    as_terminal: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Try the broker's rules with this terminal's login; enrol one for it."),
    ] = None,
    bridge_is_down: Annotated[
        bool, typer.Option("--bridge-is-down", help="No bridge runs, so its own login at the broker may be tried.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="All findings, for machines.")] = False,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Look at settings, store, disk, clock, broker and PBX; changes nothing, and may run beside the bridge."""
    with one_sentence():
        settings = read_settings(config, overrides)
        probe = None if as_terminal is None else read_probe_login(as_terminal)
        set_up_logs(settings.log.format, "error")
        findings = asyncio.run(examine_all(settings, find_place(config).path, probe, bridge_is_down))
        typer.echo(json.dumps([as_fields(one) for one in findings], indent=2) if as_json else describe(findings))
        if any(finding.verdict == PROBLEM for finding in findings):
            raise typer.Exit(1)


def describe(findings: list[Finding]) -> str:
    """Return the findings as text for people, with the number of each kind."""
    lines = []
    for finding in findings:
        lines.append(
            f"{finding.verdict.upper() if finding.verdict == PROBLEM else finding.verdict:10}{finding.sentence}"
        )
        if finding.change is not None:
            better = "faster: " if finding.verdict == OK else ""
            lines.append(f"{'':10}  -> {better}{finding.change.file}: {finding.change.text}")
    counted = Counter(finding.verdict for finding in findings)
    found = [(counted[verdict], one, more) for verdict, (one, more) in _COUNTED.items() if counted[verdict]]
    lines.append(", ".join(f"{count} {one if count == 1 else more}" for count, one, more in found) + ".")
    return "\n".join(show(line) for line in lines)
