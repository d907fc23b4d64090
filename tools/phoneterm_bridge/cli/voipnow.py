"""`phoneterm voipnow`: tries a real VoipNow. Does no work of its own."""

import asyncio
from typing import Annotated

import typer

from phoneterm_bridge.cli.options import Config, Overrides, one_sentence, read_settings
from phoneterm_bridge.doctor.voipnow_probe import Seen, VoipNowProbe
from phoneterm_bridge.pbx.voipnow.extension_number import extended_of
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.settings.voipnow import VoipNowSettings
from phoneterm_bridge.wording.logs import set_up_logs
from phoneterm_bridge.wording.outside import show

app = typer.Typer(help="A VoipNow behind the bridge.", no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def _voipnow() -> None:
    """Keep `probe` a word of its own."""


@app.command()
def probe(
    extension: Annotated[str, typer.Option(help="A test extension, such as 0003*210: its calls are held and moved.")],
    target: Annotated[str | None, typer.Option(help="A number that exists, for its caller to be sent to.")] = None,
    wrong: Annotated[str | None, typer.Option(help="A number that does not exist; the caller may be lost.")] = None,
    is_flag_changed: Annotated[
        bool, typer.Option("--change-flag", help="Change the flag multi user aware of its user, and back again.")
    ] = False,
    composed: Annotated[bool, typer.Option(help="Try also what a composed attended transfer needs.")] = False,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Try what no document of VoipNow settles, and print a report to send back.

    With --target and --wrong somebody has to call the test extension three times, with --composed once more; without
    them nobody is called.
    """
    with one_sentence():
        settings = read_settings(config, overrides)
        if settings.pbx.kind != "voipnow":
            raise SetupProblem('The settings name no VoipNow: set pbx.kind = "voipnow", and the section [voipnow].')
        if (target is None) != (wrong is None):
            raise SetupProblem("The options --target and --wrong only work together.")
        if composed and target is None:
            raise SetupProblem("The option --composed needs --target and --wrong: somebody has to be called.")
        set_up_logs(settings.log.format, "error")
        whole = extended_of(extension, settings.voipnow.organization)
        trial = VoipNowProbe(
            settings.voipnow, whole, lambda sentence: typer.echo(sentence, err=True), is_composed=composed
        )
        seen = asyncio.run(trial.run(target, wrong))
        seen += _ask_system_api(settings.voipnow, whole, wrong, is_flag_changed)
        typer.echo("VoipNow, seen by phoneterm. Digits of numbers and letters of ids are masked.")
        for one in seen:
            typer.echo(show(f"- {one.point}: {one.what}"))


def _ask_system_api(settings: VoipNowSettings, extension: str, wrong: str | None, is_flag_changed: bool) -> list[Seen]:
    """Return what was seen of SystemAPI, or why it was not asked."""
    try:
        from phoneterm_bridge.doctor.voipnow_system_probe import SystemProbe
    except SetupProblem as problem:
        return [Seen("SystemAPI", str(problem))]
    return asyncio.run(SystemProbe(settings, extension).run(wrong, is_flag_changed))
