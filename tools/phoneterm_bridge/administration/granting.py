"""What terminals may be allowed, beyond what the directory itself checks. Allows nothing."""

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.wording.names import name_some


def refuse_unknown_classes(classes: tuple[str, ...], known: tuple[str, ...] | None) -> None:
    """Refuse classes that no number has; `known` is None when the digit map is invalid."""
    if known is not None and (unknown := [name for name in classes if name not in known]):
        raise SetupProblem(f"There is no class {name_some(unknown)}; there are {', '.join(known)}.")
