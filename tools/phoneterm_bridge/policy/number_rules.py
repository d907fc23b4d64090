"""Rules on numbers, by their digits alone: allow and deny by prefix, emergency numbers, feature codes.

Does not know classes, terminals or settings. All are pure functions of texts.
"""

from collections.abc import Iterable, Sequence


def verdict_by_prefix(number: str, allow: Sequence[str], deny: Sequence[str]) -> bool | None:
    """Say whether the longest matching prefix allows a number (deny wins a tie); None when none matches."""
    allowed, denied = _longest(number, allow), _longest(number, deny)
    if allowed == denied == 0:
        return None
    return allowed > denied


def is_emergency(number: str, emergency: Iterable[str], outside_line: Iterable[str]) -> bool:
    """Say whether a number is an emergency number, as it is or after the digits for an outside line."""
    known = set(emergency)
    behind = (number.removeprefix(prefix) for prefix in outside_line if number.startswith(prefix))
    return number in known or not known.isdisjoint(behind)


def is_feature_code(number: str, features: Iterable[str]) -> bool:
    """Say whether a number begins like a feature code."""
    return number.startswith(tuple(features))


def _longest(number: str, prefixes: Sequence[str]) -> int:
    return max((len(prefix) for prefix in prefixes if number.startswith(prefix)), default=0) if prefixes else 0
