"""Names joined for a sentence. Does not know whose they are."""

from collections.abc import Sequence


def name_some(names: Sequence[str], most: int = 5) -> str:
    """Return names joined for a sentence, cut short after a few."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
