"""`phoneterm digit-map`: checks a digit map with the firmware's own compiler, and tries numbers on it.

Does not read or change any terminal's configuration. Exit code 1 for a map that is refused.
"""

from typing import Annotated

import typer
from phoneterm.core import digit_map as maps
from phoneterm.core.digit_map_compiler import compile_map
from phoneterm.core.messages import MAX_NUMBER_CHARS, Rejected, is_number

app = typer.Typer(help="Check digit maps: which numbers exist and when they are complete.", no_args_is_help=True)

_WHEN = {
    maps.NO: "no such number",
    maps.PARTIAL: "digits are missing",
    maps.COMPLETE: "complete at once",
    maps.TIMER: "complete after the digit timer, or on the commit key",
    maps.COMMIT: "complete on # or the commit key",
}


@app.callback()
def digit_map() -> None:
    """Check digit maps: which numbers exist and when they are complete."""


@app.command()
def check(
    text: Annotated[str, typer.Argument(metavar="MAP", help="For example 'internal:1xx|national:0[1-9]x.T'.")],
    numbers: Annotated[list[str] | None, typer.Argument(metavar="[NUMBER]...", help="Numbers to try.")] = None,
) -> None:
    """Say whether the map is clear, and what becomes of each number when it is keyed."""
    digit_map = compile_map(text)
    if isinstance(digit_map, Rejected):
        typer.echo(f"The digit map is refused: {digit_map.detail}.", err=True)
        raise typer.Exit(1)
    typer.echo(
        "The digit map is clear. Its classes: " + ", ".join(dict.fromkeys(g.name for g in digit_map.groups)) + "."
    )
    for number in numbers or ():
        typer.echo(f"{number[:MAX_NUMBER_CHARS]:<16} {_explain(digit_map, number)}")


def _explain(digit_map: maps.DigitMap, number: str) -> str:
    if not is_number(number):
        return f"not a number: 1 to {MAX_NUMBER_CHARS} digits, with single stars only before them"
    state = digit_map.start()
    for keyed, symbol in enumerate(number):
        if keyed and digit_map.verdict(state) == maps.COMPLETE:
            return f"{digit_map.class_at(state)}, but complete already at {number[:keyed]}"
        state = digit_map.step(state, symbol)
    verdict = digit_map.verdict(state)
    name = digit_map.class_at(state)
    if verdict == maps.TIMER and digit_map.ends_with_hash and digit_map.step(state, "#"):
        return f"{name}, complete after the digit timer, or on # or the commit key"
    return f"{name}, {_WHEN[verdict]}" if name else _WHEN[verdict]
