"""Functions with which the doctor's tests read findings."""


def verdicts(findings, words):
    """Return the verdicts of the findings whose sentence contains these words."""
    return [finding.verdict for finding in findings if words in finding.sentence]


def change_of(findings, words):
    """Return the line to change of the only finding whose sentence contains these words."""
    (finding,) = [one for one in findings if words in one.sentence]
    return f"{finding.change.file}: {finding.change.text}"


def problems(findings):
    """Return the sentences of all problems."""
    return [finding.sentence for finding in findings if finding.verdict == "problem"]
