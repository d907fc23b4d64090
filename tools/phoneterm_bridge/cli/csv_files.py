"""`phoneterm user import` and `export`: users, extensions and terminals as a CSV file, or as VoipNow has them.

Does no work of its own. New terminals' settings, with their secrets, are written once, to private files in a folder.
"""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from phoneterm_bridge.administration.handout import Handout, prepare_handout
from phoneterm_bridge.cli.handing_out import (
    Here,
    MqttHost,
    TimeHost,
    TlsHost,
    write_secret,
)
from phoneterm_bridge.cli.import_source import read_source
from phoneterm_bridge.cli.options import Config, Overrides, looking, one_sentence, open_directory, read_settings
from phoneterm_bridge.cli.saying import say, say_broker_must_learn
from phoneterm_bridge.cli.settings_files import SettingsFiles, check_settings_files
from phoneterm_bridge.csv_files.files import carry_out, export, new_terminals, plan_rows, rehearse
from phoneterm_bridge.csv_files.plan import ImportPlan
from phoneterm_bridge.pbx.backends import is_told_permissions
from phoneterm_bridge.permissions.describing import OVERRIDDEN, UNASKED
from phoneterm_bridge.policy.site import classes_of
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.database import opening
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.private_files import check_folder
from phoneterm_bridge.wording.names import name_some
from phoneterm_bridge.wording.outside import show

_MOST_MISTAKES = 50
_DONE = {
    "add_user": "users added",
    "set_multi_user_aware": "users' permissions changed",
    "add_extension": "extensions added",
    "add_terminal": "terminals enrolled",
    "set_group": "site groups set",
}


def import_file(
    path: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The CSV file; none with --from voipnow.")
    ] = None,
    is_dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="SOURCE",
            help="Whose it is: freepbx, a file of its Bulk Handler; or voipnow, which is asked itself.",
        ),
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="With --from voipnow: the id of the organization whose users come in.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The folder for the settings of new terminals.")
    ] = None,
    mqtt_host: MqttHost = None,
    tls_host: TlsHost = None,
    time_host: TimeHost = None,
    is_here: Here = False,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Add the users, extensions and terminals of a CSV file, all or none; mistakes are reported by line and column.

    With --from voipnow, the users and phone terminals that VoipNow has come in; what is here already stays as it is.
    A dry run needs all that the real one needs, so what it accepts can be done.
    """
    with one_sentence():
        settings = read_settings(config, overrides)
        given = read_source(source, path, account, settings)
        classes = classes_of(settings.phones)
        is_there = settings.store.path.exists()
        if is_there:
            with looking(settings) as engine:
                plan = plan_rows(engine, given.rows, given.mistakes, classes, given.context)
        else:  # the import makes it
            plan = plan_rows(None, given.rows, given.mistakes, classes, given.context)
        _refuse_mistakes(given.name, plan)
        if new_terminals(plan) and output is None:
            raise SetupProblem("The file has new terminals: --output FOLDER says where their settings go.")
        new = {step.arguments[0]: step.arguments[1] for step in new_terminals(plan)}
        handout = prepare_handout(settings.broker, mqtt_host, tls_host, time_host, is_here) if new else None
        if is_dry_run and not is_there:
            with opening(settings.store.path):
                check_folder(settings.store.path.parent)
            check_settings_files(output, new)
    if is_there and is_dry_run:
        with open_directory(config, overrides) as directory:
            rehearse(directory, plan, lambda _: check_settings_files(output, new))
    elif not is_dry_run:
        with open_directory(config, overrides) as directory:
            _carry_out(directory, plan, output, handout)
        if new:
            say_broker_must_learn(settings.broker)
    say(f"{'Would be done' if is_dry_run else 'Done'}: {_describe(plan)}.")
    if given.left_out:
        say(f"Left out, because they {given.why_left_out}: {name_some(given.left_out)}.")
    if given.refused:
        say(f"Left out: {name_some(given.refused)}.")
    if is_told_permissions(settings):
        if plan.sets_permission:
            say(OVERRIDDEN)
        elif source == "voipnow" and plan.steps:
            say(UNASKED)


def export_file(
    path: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A new file; printed without it.")] = None,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Write all users, extensions and terminals as a CSV file that `import` takes, without secrets."""
    with one_sentence():
        with looking(read_settings(config, overrides)) as engine:
            text = export(engine)
        if path is None:
            typer.echo(text, nl=False)
        else:
            write_secret(path, text.rstrip("\n"), "name another file")
            say(f"Written to {path}: {len(text.splitlines()) - 1} lines, without secrets.")


def _refuse_mistakes(name: str, plan: ImportPlan) -> None:
    for mistake in plan.mistakes[:_MOST_MISTAKES]:
        typer.echo(show(mistake), err=True)
    if plan.mistakes:
        count = len(plan.mistakes)
        found = "one mistake" if count == 1 else f"{count} mistakes"
        shown = f" (the first {_MOST_MISTAKES} are shown)" if count > _MOST_MISTAKES else ""
        raise SetupProblem(f"{name} has {found}{shown}; nothing was changed.")


def _carry_out(directory: Directory, plan: ImportPlan, folder: Path | None, handout: Handout | None) -> None:
    """Make all changes, and write a file for each new terminal; if either cannot be done, no file stays."""
    extensions = {step.arguments[0]: step.arguments[1] for step in new_terminals(plan)}
    files = SettingsFiles(folder, handout, extensions)
    with files.or_none():
        carry_out(directory, plan, files.write)


def _describe(plan: ImportPlan) -> str:
    counts = Counter(_DONE.get(step.method, "permissions of terminals set") for step in plan.steps)
    return ", ".join(f"{count} {what}" for what, count in counts.items()) or "nothing, all is there already"
