"""`phoneterm terminal bulk`, `group` and `groups`: changes of many terminals after a preview, and their site groups.

Judges nothing itself: who is affected, and why somebody is not, says `administration.bulk_change`, as on the console.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer

from phoneterm_bridge.administration.bulk_change import (
    KINDS,
    REVOKE,
    ROTATE,
    Change,
    Preview,
    name_left_out,
    preview_change,
    read_change,
)
from phoneterm_bridge.administration.bulk_making import make_change
from phoneterm_bridge.administration.firmware_age import find_newest, is_outdated
from phoneterm_bridge.administration.handout import prepare_handout
from phoneterm_bridge.administration.requesting import Patience, ask_terminal
from phoneterm_bridge.administration.site_groups import count_groups
from phoneterm_bridge.cli.completion import complete_tid
from phoneterm_bridge.cli.handing_out import Here, MqttHost, TimeHost, TlsHost
from phoneterm_bridge.cli.options import (
    Config,
    IsSure,
    Json,
    Overrides,
    ask_first,
    changing,
    looking,
    name_place,
    name_user,
    one_sentence,
    read_settings,
)
from phoneterm_bridge.cli.saying import say, say_broker_must_learn
from phoneterm_bridge.cli.settings_files import SettingsFiles, check_settings_files
from phoneterm_bridge.cli.taking_away import say_mosquitto_keeps
from phoneterm_bridge.policy.site import classes_of
from phoneterm_bridge.settings.bridge import BridgeSettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import reading, sightings
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.owner import is_bridge_running
from phoneterm_bridge.store.records import Snapshot
from phoneterm_bridge.store.sightings import Sighting

_AT_ONCE = 8  # requests that wait for their answers
_NO_GROUP = "none"
_Tids = Annotated[
    list[str] | None, typer.Argument(metavar="TID", help="The terminals' ids.", autocompletion=complete_tid)
]
_Kind = Annotated[
    str, typer.Argument(metavar="CHANGE", help=f"What is changed: {', '.join(KINDS[:-1])} or {KINDS[-1]}.")
]


class _Seen:
    """The terminals in the store, and what the running bridge last saw of each."""

    def __init__(self, snapshot: Snapshot, sightings_of: dict[str, Sighting], is_running: bool) -> None:
        self.snapshot = snapshot
        self._sightings = sightings_of
        self._is_running = is_running

    def choose(self, tids: list[str], group: str | None, is_only_outdated: bool) -> list[str]:
        """Return the terminals that are named, or all, as far as the filters let them."""
        live = [tid for tid, record in self.snapshot.terminals.items() if not record.is_revoked]
        chosen = list(dict.fromkeys(tids)) if tids else live
        if group is not None:
            wanted = "" if group.lower() == _NO_GROUP else group
            if wanted and wanted not in self.snapshot.groups.values():
                raise SetupProblem(f"No terminal is in a site group {group!r}; `phoneterm terminal groups` lists them.")
            chosen = [tid for tid in chosen if self.snapshot.groups.get(tid, "") == wanted]
        if is_only_outdated:
            newest = find_newest(self._firmware_of(tid) for tid in live)
            chosen = [tid for tid in chosen if is_outdated(self._firmware_of(tid), newest)]
        if not chosen:
            raise SetupProblem("No terminal is like this.")
        return chosen

    def find_absence(self, tid: str, _what: str) -> str:
        """Return why a request cannot reach a terminal now; the list does not know who is in safe mode."""
        if not self._is_running:
            return "no bridge is running"
        seen = self._sightings.get(tid)
        return "" if seen is not None and seen.is_online else "it is not online, or in safe mode"

    def _firmware_of(self, tid: str) -> str:
        seen = self._sightings.get(tid)
        return seen.firmware if seen else ""


def bulk(
    context: typer.Context,
    what: _Kind,
    tids: _Tids = None,
    value: Annotated[str, typer.Option(help="The class of numbers, or the site group (none for no group).")] = "",
    group: Annotated[str | None, typer.Option("--in", help="Only those in this site group; none: in no group.")] = None,
    is_only_outdated: Annotated[bool, typer.Option("--outdated", help="Only those with outdated firmware.")] = False,
    is_for_all: Annotated[bool, typer.Option("--all", help="All terminals.")] = False,
    is_dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say who would be affected.")] = False,
    is_sure: IsSure = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="With rotate: the folder for the new settings.")
    ] = None,
    mqtt_host: MqttHost = None,
    tls_host: TlsHost = None,
    time_host: TimeHost = None,
    is_here: Here = False,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Change many terminals at once, after a preview of who is affected: all of them or none.

    Requests (identify, reboot) go to each that is online, and those that were not told are named.
    """
    with one_sentence():
        settings = read_settings(config, overrides)
        if not (tids or group is not None or is_only_outdated or is_for_all):
            raise SetupProblem("Say which: ids of terminals, --in GROUP, --outdated or --all.")
        change = read_change(what, "" if value.lower() == _NO_GROUP else value, classes_of(settings.phones))
        seen = _look(settings)
        chosen = seen.choose(tids or [], group, is_only_outdated)
        preview = preview_change(change, chosen, seen.snapshot, seen.find_absence)
        _print(preview)
        if not preview.affected:
            raise SetupProblem("No terminal is affected, so nothing was done.")
        handout, affected = None, [one.tid for one in preview.affected]
        if what == ROTATE:
            if output is None:
                raise SetupProblem("The terminals get new settings: --output FOLDER says where they go.")
            handout = prepare_handout(settings.broker, mqtt_host, tls_host, time_host, is_here)
            check_settings_files(output, affected)
        if is_dry_run:
            return
        ask_first(f"{preview.sentence}.", "Do it?", is_sure)
        if change.is_request:
            patience = context.find_object(Patience) or Patience()
            _request(settings, change, affected, patience)
            return
        files = SettingsFiles(output, handout, {one.tid: one.extension for one in preview.affected})
        with changing(settings) as engine, files.or_none():
            directory = Directory(engine, f"cli:{name_user()}", name_place())
            make_change(engine, directory, change, chosen, preview.mark, files.write)
        say(f"Done: {preview.outcome}")
        if what == ROTATE:
            say_broker_must_learn(settings.broker)
        if what == REVOKE:
            say_mosquitto_keeps([seen.snapshot.terminals[tid] for tid in affected], config, overrides)


def group_terminals(
    name: Annotated[str, typer.Argument(help='The site group, such as "Berlin, 2nd floor"; none for no group.')],
    tids: Annotated[list[str], typer.Argument(metavar="TID", help="The terminals' ids.", autocompletion=complete_tid)],
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Put terminals into a site group, or out of theirs."""
    with one_sentence():
        settings = read_settings(config, overrides)
        change = read_change("group", "" if name.lower() == _NO_GROUP else name, None)
        with changing(settings) as engine:
            directory = Directory(engine, f"cli:{name_user()}", name_place())
            preview = make_change(engine, directory, change, tids, None, lambda _: None)
        said = f" {' '.join(preview.notes)}" if preview.notes else ""
        say(f"{preview.sentence}.{said}")
        if preview.left_out:
            say(f"Not affected: {name_left_out(preview.left_out)}.")


def list_groups(as_json: Json = False, config: Config = None, overrides: Overrides = None) -> None:
    """List the site groups, with how many terminals are in each."""
    with one_sentence():
        with looking(read_settings(config, overrides)) as engine:
            counts = count_groups(reading.read_snapshot(engine))
        if as_json:
            typer.echo(json.dumps([{"group": name, "terminals": count} for name, count in counts], indent=2))
            return
        for name, count in counts:
            say(f"{name:40} {count} {'terminal' if count == 1 else 'terminals'}")


def _look(settings: BridgeSettings) -> _Seen:
    with looking(settings) as engine, engine.connect() as connection:
        seen, snapshot = sightings.read_all(connection), reading.read_snapshot(engine)
    return _Seen(snapshot, seen, is_bridge_running(settings.store.path))


def _print(preview: Preview) -> None:
    say(f"{preview.sentence}{':' if preview.affected else '.'}")
    for one in preview.affected:
        becomes = f"{one.now} -> {one.then}" if one.then else ""
        say(f"  {one.tid:20} {one.extension:10} {one.user:20} {becomes}".rstrip())
    for note in preview.notes:
        say(note)
    if preview.left_out:
        say(f"Not affected: {name_left_out(preview.left_out)}.")


def _request(settings: BridgeSettings, change: Change, tids: list[str], patience: Patience) -> None:
    """Have each terminal told, some at once; say who was not, and why."""
    who, place = f"cli:{name_user()}", name_place()

    def ask(engine: sa.Engine, tid: str) -> str:
        try:
            ask_terminal(engine, tid, change.what, who, place, patience)
        except SetupProblem as problem:
            return str(problem)
        return ""

    with changing(settings) as engine, ThreadPoolExecutor(_AT_ONCE) as threads:
        refused = [said for said in threads.map(lambda tid: ask(engine, tid), tids) if said]
    say(f"{len(tids) - len(refused)} of {len(tids)} terminals were told to {change.what}.")
    if refused:
        raise SetupProblem("\n".join(refused))
