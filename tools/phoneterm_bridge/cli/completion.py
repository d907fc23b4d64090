"""What a shell offers for the ids of terminals. Prints and makes nothing; silent when it does not know."""

import typer

from phoneterm_bridge.settings.problem import SetupProblem


def complete_tid(context: typer.Context, incomplete: str) -> list[str]:
    """Return the ids that begin so, of the store that the command would use."""
    from phoneterm_bridge.cli.options import read_terminals  # the store is only loaded when it is asked

    config = context.params.get("config") or context.find_root().params.get("config")
    try:
        terminals = read_terminals(config, context.params.get("overrides"))
    except SetupProblem:
        return []
    return sorted(tid for tid in terminals if tid.startswith(incomplete))
