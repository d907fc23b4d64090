"""One finding: a verdict, one sentence, and, where it helps, the line to change.

Does not find anything itself. Verdicts: OK, WARNING (it works, but should be changed), PROBLEM (something does not work
or is open to others), UNKNOWN (could not be determined from here; the sentence says why).
"""

from typing import NamedTuple

OK, WARNING, PROBLEM, UNKNOWN = "ok", "warning", "problem", "not known"


class Change(NamedTuple):
    """The line to change: the file (or where to type it) and its new text."""

    file: str
    text: str


class Finding(NamedTuple):
    """One thing that was checked. The change of an OK finding is optional: an improvement."""

    verdict: str
    part: str
    sentence: str
    change: Change | None = None


def as_fields(finding: Finding) -> dict:
    """Return a finding as plain values for machines."""
    change = finding.change
    return {
        "verdict": finding.verdict,
        "part": finding.part,
        "sentence": finding.sentence,
        "change": None if change is None else change._asdict(),
    }
