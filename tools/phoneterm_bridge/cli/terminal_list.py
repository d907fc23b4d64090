"""`phoneterm terminal list` and `show`: what terminals there are, and what the bridge last saw of each.

Does not ask a terminal or the bridge: the running bridge keeps what it sees in the store. When no bridge runs, nothing
is known about who is online.
"""

import json
from typing import Annotated

import typer

from phoneterm_bridge.administration.terminal_view import TerminalView, as_fields, describe_rights
from phoneterm_bridge.cli.completion import complete_tid
from phoneterm_bridge.cli.options import Config, Json, Overrides, looking, one_sentence, read_settings
from phoneterm_bridge.cli.saying import say
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import reading, sightings, troubles
from phoneterm_bridge.store.owner import is_bridge_running
from phoneterm_bridge.terminals.troubles import describe_trouble
from phoneterm_bridge.wording.times import write_time


def list_terminals(
    group: Annotated[str | None, typer.Option("--group", help="Only those in this site group.")] = None,
    as_json: Json = False,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """List all terminals: online, last seen, firmware, board, address, signal, rights, group; below what is wrong."""
    with one_sentence():
        found = [one for one in _read(config, overrides) if group in (None, one.group)]
        if as_json:
            typer.echo(json.dumps([as_fields(one) for one in found], indent=2))
            return
        for one in found:
            record = one.record
            state = "" if record.is_revoked else f"{_describe_sighting(one)}  "
            group = f"  [{one.group}]" if one.group else ""
            say(f"{record.tid:20} {record.extension:10} {record.user:20} {state}{describe_rights(record)}{group}")
            for trouble in one.troubles:
                say(f"{'':20} {describe_trouble(trouble.what, [record.tid], trouble.detail)}")


def show(
    tid: Annotated[str, typer.Argument(help="The terminal's id.", autocompletion=complete_tid)],
    as_json: Json = False,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Show one terminal, without its secrets."""
    with one_sentence():
        one = next((one for one in _read(config, overrides) if one.record.tid == tid), None)
        if one is None:
            raise SetupProblem(f"There is no terminal {tid!r}.")
        if as_json:
            typer.echo(json.dumps(as_fields(one), indent=2))
            return
        _print(one)


def _read(config: Config, overrides: Overrides) -> list[TerminalView]:
    settings = read_settings(config, overrides)
    with looking(settings) as engine, engine.connect() as connection:
        seen, standing = sightings.read_all(connection), troubles.read_all(connection)
        snapshot = reading.read_snapshot(engine)
    is_running = is_bridge_running(settings.store.path)
    found = []
    for record in snapshot.terminals.values():
        sighting = seen.get(record.tid)
        is_online = (sighting is not None and sighting.is_online) if is_running else None
        told, group = [one for one in standing if one.tid == record.tid], snapshot.groups.get(record.tid, "")
        found.append(TerminalView(record, sighting, is_online, told, group))
    return found


def _describe_sighting(one: TerminalView) -> str:
    """Return in columns whether it is online, when it was seen, and what it said of itself."""
    sighting, state = one.sighting, {True: "online", False: "offline", None: "no bridge"}[one.is_online]
    if sighting is None:
        return f"{state:9} {'never seen':23} {'-':8} {'-':20} {'-':15} {'-':7}"
    signal = "-" if sighting.rssi_dbm is None else f"{sighting.rssi_dbm} dBm"
    return (
        f"{state:9} {write_time(sighting.seen_ms):23} {sighting.firmware:8} {sighting.board:20} "
        f"{sighting.address or '-':15} {signal:7}"
    )


def _print(one: TerminalView) -> None:
    record, sighting = one.record, one.sighting
    say(f"terminal          {record.tid}{' (revoked)' if record.is_revoked else ''}")
    say(f"extension         {record.extension} (type {record.extension_type}, user {record.user})")
    say(f"site group        {one.group or 'none'}")
    say(f"at the PBX        endpoint {record.endpoint}, context {record.context}")
    say(f"multi user aware  {'yes' if record.is_multi_user_aware else 'no'}")
    say(f"may               {describe_rights(record)}")
    allowed, denied = (", ".join(some) or "none" for some in (record.allow_prefixes, record.deny_prefixes))
    say(f"numbers           allowed {allowed}; denied {denied} (the longest prefix counts, before the class)")
    if record.is_external_revoked:
        typer.echo("outside           REVOKED for all terminals; phoneterm policy restore lets them again")
    online = {True: "yes", False: "no", None: "not known: no bridge is running"}[one.is_online]
    say(f"online            {online}")
    if sighting is not None:
        say(f"last seen         {write_time(sighting.seen_ms)}, from {sighting.address or 'an unknown address'}")
        say(f"firmware          {sighting.firmware}, board {sighting.board}")
        say(f"signal            {'-' if sighting.rssi_dbm is None else f'{sighting.rssi_dbm} dBm'}")
    for trouble in one.troubles:
        say(f"trouble           {describe_trouble(trouble.what, [record.tid], trouble.detail)}")
