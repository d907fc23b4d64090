"""The shapes in which the stand-in answers, as far as documents, samples and clients disagree on them.

Does not make answers. Every one of these has been seen in a document, a sample, or a client in use.
"""

from dataclasses import dataclass


@dataclass
class Shapes:
    """updated: an action answers with an "array" or an "object". entries: the list's are an "array", or an "object" by
    id. empty: nothing there is "204" or a list with "no-entry". caller_id: how that field is spelled. page: how many
    calls a page has at most, whatever was asked for. has_holder: who holds a call is told. has_other_views: a call
    shows the views of all its extensions, not only of the one that was asked for. checks_target: a transfer to a number
    that does not exist is refused; else the caller is lost. effect_after_s: an action takes effect so long after its
    answer. shows_given_caller_id: the caller id that a call was made with is in its views. names_made_call: the answer
    to whoever makes a call names it.
    """

    updated: str = "array"
    entries: str = "array"
    empty: str = "no-entry"
    caller_id: str = "callerId"
    page: int = 20
    has_holder: bool = True
    has_other_views: bool = True
    checks_target: bool = True
    effect_after_s: float = 0.0
    shows_given_caller_id: bool = True
    names_made_call: bool = True
