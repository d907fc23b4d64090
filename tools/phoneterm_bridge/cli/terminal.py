"""`phoneterm terminal`: enrol terminals, see them, give them new secrets, take them away, and say what they may do.

Does not talk to a running bridge: it writes the store, and the bridge notices within a quarter of a second. A
terminal's secrets are handed out once, by `add` and `rotate`. Requests to a terminal that is online are in `request`.
"""

from typing import Annotated

import typer
from phoneterm.core.operations import FLAGS

from phoneterm_bridge.administration.granting import refuse_unknown_classes
from phoneterm_bridge.administration.handout import default_tid, prepare_handout
from phoneterm_bridge.administration.terminal_view import describe_rights
from phoneterm_bridge.cli.bulk import bulk, group_terminals, list_groups
from phoneterm_bridge.cli.completion import complete_tid
from phoneterm_bridge.cli.handing_out import Here, MqttHost, TimeHost, TlsHost, find_file, hand_out
from phoneterm_bridge.cli.options import (
    Config,
    IsSure,
    Overrides,
    ask_first,
    one_sentence,
    open_directory,
    read_settings,
    read_terminals,
)
from phoneterm_bridge.cli.request import identify, reboot, wipe
from phoneterm_bridge.cli.saying import say, say_broker_must_learn
from phoneterm_bridge.cli.taking_away import say_mosquitto_keeps
from phoneterm_bridge.cli.terminal_list import list_terminals, show
from phoneterm_bridge.policy.site import classes_of
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.records import TerminalRecord

app = typer.Typer(
    help="Enrol terminals, see them, revoke them, say what they may do; have one show itself, reboot or wipe itself.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_Tid = Annotated[str, typer.Argument(help="The terminal's id.", autocompletion=complete_tid)]
_Operations = Annotated[
    list[str] | None, typer.Option("--op", help=f"Operation {' or '.join(FLAGS)}; may be repeated.")
]
_Output = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="PATH",
        help="The new private file for its settings, or a folder for it, with / at the end; - prints. TID.json here "
        "unless given.",
    ),
]  # fmt: skip


@app.command()
def add(
    extension: Annotated[str, typer.Option(help="The extension whose calls it transfers.")],
    tid: Annotated[str | None, typer.Option(help="Its id; phone-EXTENSION unless given.")] = None,
    group: Annotated[str | None, typer.Option(help="The site group that it belongs to.")] = None,
    output: _Output = None,
    mqtt_host: MqttHost = None,
    tls_host: TlsHost = None,
    time_host: TimeHost = None,
    is_here: Here = False,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Enrol a terminal; its settings, with its secrets, are written to a private file, only once.

    `phoneterm device provision --settings FILE` brings the file to a board, on any computer.
    """
    with open_directory(config, overrides) as directory:
        wanted = tid or default_tid(extension)
        to = find_file(output, wanted)
        broker = read_settings(config, overrides).broker
        handout = prepare_handout(broker, mqtt_host, tls_host, time_host, is_here)
        with directory.together():  # without its settings a terminal that is enrolled is of no use
            enrolment = directory.add_terminal(wanted, extension)
            if group:
                directory.set_group(wanted, group)
            hand_out(handout.document(enrolment, extension), to, f"{wanted} is enrolled")
        say_broker_must_learn(broker)


@app.command()
def rotate(
    tid: _Tid,
    output: _Output = None,
    mqtt_host: MqttHost = None,
    tls_host: TlsHost = None,
    time_host: TimeHost = None,
    is_here: Here = False,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Give a terminal new secrets; the old ones stop working. Its new settings are written only once.

    For a terminal that is at hand, `phoneterm device rotate` does this and writes them to it over the cable. A
    mosquitto learns of them by `phoneterm broker config` and a reload; with TLS-PSK the shared key is also new.
    """
    with open_directory(config, overrides) as directory:
        to = find_file(output, tid)
        extension = _find(tid, config, overrides).extension
        broker = read_settings(config, overrides).broker
        handout = prepare_handout(broker, mqtt_host, tls_host, time_host, is_here)
        with directory.together():
            hand_out(handout.document(directory.rotate_terminal(tid), extension), to, f"{tid} has new secrets")
        say_broker_must_learn(broker)


app.command("list")(list_terminals)
app.command()(show)


@app.command()
def revoke(tid: _Tid, is_sure: IsSure = False, config: Config = None, overrides: Overrides = None) -> None:
    """Revoke a terminal for good: it is disconnected, and its secrets are worthless. It stays in the list."""
    with one_sentence():
        record = _find(tid, config, overrides)
        if record.is_revoked:
            raise SetupProblem(
                f"The terminal {tid!r} is revoked already; `phoneterm terminal remove {tid}` removes it."
            )
        ask_first(
            f"{tid} at extension {record.extension} is revoked for good: nothing gives it its rights back. `phoneterm "
            "terminal deny` forbids it transfers for now, and `phoneterm terminal rotate` gives it new secrets.",
            f"Revoke {tid}?",
            is_sure,
        )
    with open_directory(config, overrides) as directory:
        directory.revoke_terminal(tid)
    say(f"{tid} at extension {record.extension} is revoked for good: its secrets are worthless.")
    say_mosquitto_keeps([record], config, overrides)


@app.command()
def remove(tid: _Tid, is_sure: IsSure = False, config: Config = None, overrides: Overrides = None) -> None:
    """Remove a terminal with its permissions: its secrets are worthless, and its id is free again."""
    with one_sentence():
        record = _find(tid, config, overrides)
        ask_first(
            f"{tid} at extension {record.extension} is removed with its permissions, and its secrets are worthless "
            "then. The journal keeps what it has of it.",
            f"Remove {tid}?",
            is_sure,
        )
    with open_directory(config, overrides) as directory:
        directory.remove_terminal(tid)
    say(f"{tid} at extension {record.extension} is removed, with its permissions.")
    say_mosquitto_keeps([record], config, overrides)


@app.command()
def grant(
    tid: _Tid,
    operations: _Operations = None,
    classes: Annotated[str | None, typer.Option(help="All classes it may transfer to: internal,national.")] = None,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Allow a terminal operations, or set the classes of numbers that it may transfer to."""
    with open_directory(config, overrides) as directory:
        if not operations and classes is None:
            raise SetupProblem("Say what to grant: --op blind, --op attended or --classes NAMES.")
        if _find(tid, config, overrides).is_revoked:
            raise SetupProblem(f"The terminal {tid!r} was revoked for good: enrol another one.")
        wanted = tuple(name.strip() for name in (classes or "").split(",") if name.strip())
        refuse_unknown_classes(wanted, classes_of(read_settings(config, overrides).phones))
        with directory.together():
            for operation in operations or ():
                directory.set_operation(tid, operation, True)
            if classes is not None:
                directory.set_classes(tid, wanted)
    _say_what_it_may(tid, config, overrides)


@app.command()
def deny(tid: _Tid, operations: _Operations = None, config: Config = None, overrides: Overrides = None) -> None:
    """Forbid a terminal operations."""
    with open_directory(config, overrides) as directory:
        if not operations:
            raise SetupProblem(f"Say what to deny: {' or '.join(f'--op {flag}' for flag in FLAGS)}.")
        with directory.together():
            for operation in operations:
                directory.set_operation(tid, operation, False)
    _say_what_it_may(tid, config, overrides)


app.command()(identify)
app.command()(reboot)
app.command()(wipe)
app.command()(bulk)
app.command("group")(group_terminals)
app.command("groups")(list_groups)


def _find(tid: str, config: Config, overrides: Overrides) -> TerminalRecord:
    record = read_terminals(config, overrides).get(tid)
    if record is None:
        raise SetupProblem(f"There is no terminal {tid!r}.")
    return record


def _say_what_it_may(tid: str, config: Config, overrides: Overrides) -> None:
    """Say what a terminal may do after a change."""
    record = _find(tid, config, overrides)
    say(f"{tid} may now: {describe_rights(record)}.")
