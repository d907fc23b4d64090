"""Gives the help of all commands one style: arguments and kinds of values in capitals. Changes no behaviour."""

from pathlib import Path
from typing import get_args

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

_KINDS = {str: "TEXT", Path: "PATH", int: "NUMBER", float: "NUMBER"}


def give_one_style(command: TyperCommand | TyperGroup) -> None:
    """Give a command and all below it names for arguments and for the values of options, where they have none."""
    for parameter in command.params:
        if isinstance(parameter, TyperArgument):
            parameter.metavar = (parameter.metavar or parameter.name or "").strip("[].").upper()
        elif isinstance(parameter, TyperOption) and parameter.metavar is None and not parameter.is_flag:
            kind = parameter.type_descriptor.annotation
            parameter.metavar = _KINDS.get((*get_args(kind), kind)[0])
    if isinstance(command, TyperGroup):
        for below in command.commands.values():
            assert isinstance(below, TyperCommand | TyperGroup)
            give_one_style(below)
