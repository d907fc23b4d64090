"""Words for mistakes in the settings, each a printable sentence on one line. Does not find any.

A sentence never contains the wrong value, which might be a secret.
"""

import difflib
from collections.abc import Collection, Sequence

from pydantic import ValidationError

from phoneterm_bridge.settings.problem import SetupProblem

_MOST_CHARS_SHOWN = 60
_MOST_SENTENCE_CHARS = 400
_MOST_MISTAKES = 30


def refuse(mistakes: Sequence[str]) -> None:
    """Raise a SetupProblem with all mistakes, one a line; do nothing if there are none."""
    if mistakes:
        more = [f"There are {len(mistakes) - _MOST_MISTAKES} mistakes more."] if len(mistakes) > _MOST_MISTAKES else []
        raise SetupProblem("\n".join([escape(mistake) for mistake in mistakes[:_MOST_MISTAKES]] + more))


def describe_unknown(name: str, where: str, right: Collection[str]) -> str:
    """Return a sentence that there is no such setting, and which ones are near or like it."""
    return f"The settings have no key {show_name(name)}{where}{nearest(name.rpartition('.')[2], right)}"


def wrong_names(error: ValidationError) -> set[str]:
    """Return the names of the settings whose own values are wrong."""
    return {".".join(found["loc"][:2]) for found in error.errors(include_url=False) if len(found["loc"]) > 1}  # type: ignore[arg-type]


def describe_wrong(error: ValidationError, where: dict[str, str]) -> list[str]:
    """Return a sentence for each mistake in the values; `where` has the source of each value, by name."""
    sentences = []
    for found in error.errors(include_url=False, include_input=False):
        name = ".".join(str(part) for part in found["loc"][:2])
        if found["type"] == "value_error":  # from a check of our own: one sentence or several
            sentences += [f"{sentence}{where.get(name, '')}." for sentence in str(found["ctx"]["error"]).split("\n")]
        else:
            what = found["msg"][:1].lower() + found["msg"][1:]
            sentences.append(f"The setting {show_name(name)} is not right: {what}{where.get(name, '')}.")
    return sentences


def show_name(name: str) -> str:
    """Return a name from outside in printable form: escaped, and cut short."""
    shown = ascii(name)[1:-1]
    return shown if len(shown) <= _MOST_CHARS_SHOWN else f"{shown[:_MOST_CHARS_SHOWN]}..."


def escape(sentence: str) -> str:
    """Return a sentence, which may quote a setting, as one printable line."""
    shown = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in sentence)
    return shown if len(shown) <= _MOST_SENTENCE_CHARS else f"{shown[:_MOST_SENTENCE_CHARS]}..."


def nearest(wrong: str, right: Collection[str]) -> str:
    """Return the end of the sentence about a wrong name: the most similar right one, or all of them."""
    like = find_like(wrong, right)
    return f"; did you mean {like}?" if like else f"; there are {', '.join(right)}."


def find_like(wrong: str, right: Collection[str], prefix: str = "") -> str | None:
    """Return the right name that is most like a wrong one, if any is; the prefix that all of them share is ignored."""
    begun = [name.removeprefix(prefix) for name in right]
    close = difflib.get_close_matches(wrong.removeprefix(prefix), begun, n=1, cutoff=0.5)
    return prefix + close[0] if close else None
