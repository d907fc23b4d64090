"""Reads what UnifiedAPI answers: calls with their views, whichever of its shapes an answer has. Judges nothing.

Documents, samples and clients disagree, so an entry may be in a list, in an object by id, or alone; null fields may be
absent; a number may be a text; `callerId` may be `callerID`. Of a date it only counts that there is one, because the
clocks there and here may differ. What is not as it should be is left out, and a document that is no answer at all is a
ValueError. Texts are printable, and at most MOST_CHARS long.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

MOST_CHARS = 64
_SECRET = re.compile(r"\S{28,}")
_CALLER_IDS = ("callerId", "callerID", "callerid")
_OF_A_LIST = frozenset(("entry", "totalResults", "itemsPerPage", "startIndex", "paging"))
_OF_ALL = "@"  # with it begins what means several: @self, @me


class View(NamedTuple):
    """A call from the perspective of one extension. Numbers are as VoipNow writes them.

    status, flow: VoipNow's numbers, 0 when it says none. is_holder: whether this side put the other on hold; None when
    that is not said.
    """

    id: str
    extension: str
    source: tuple[str, ...]
    destination: tuple[str, ...]
    flow: int
    status: int
    is_answered: bool
    is_held: bool
    is_parked: bool
    is_holder: bool | None
    caller_id: str


class PhoneCall(NamedTuple):
    """One call, and everybody's view of it that was shown; without any, nothing is said of who is in it."""

    id: str
    views: tuple[View, ...]


class Page(NamedTuple):
    """A part of a list. total: how many there are in all, None when it is not said; has_next: it says that more come;
    is_empty: it has no entry at all, not even an unreadable one."""

    calls: tuple[PhoneCall, ...]
    total: int | None
    has_next: bool = False
    is_empty: bool = False


class Registration(NamedTuple):
    """An address that VoipNow tells of one kind of happening."""

    id: str
    kind: str
    url: str


def read_json(body: bytes) -> Any:
    """Return a document; ValueError when it is none."""
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def read_page(document: Any) -> Page:
    """Return the calls of a list, which may be without anything around it; ValueError when it is no list of calls."""
    if isinstance(document, list):
        document = {"entry": document}
    if not isinstance(document, dict) or (document and _OF_A_LIST.isdisjoint(document)):
        raise ValueError("no list of calls")
    entries = list(_each(document.get("entry")))
    found = (_read_call(entry) for entry in entries)
    total = _integer(document.get("totalResults"))
    paging = document.get("paging")
    return Page(
        calls=tuple(call for call in found if call is not None),
        total=None if total is None or total < 0 else total,
        has_next=isinstance(paging, dict) and bool(paging.get("next")),
        is_empty=not entries,
    )


def read_call_id(document: Any) -> str:
    """Return the id of the call in an answer, which may be in a list or alone; "" when there is none."""
    entries = document.get("entry", document) if isinstance(document, dict) else document
    calls = filter(None, map(_read_call, _each(entries)))
    return next((call.id for call in calls), "")


def read_registrations(document: Any) -> list[Registration]:
    """Return the registrations of a list; none for anything else."""
    entries = document.get("entry", document) if isinstance(document, dict) else document
    return [
        Registration(_text(entry.get("id")), _text(entry.get("type")), str(entry.get("url", "")))
        for entry in _each(entries)
        if isinstance(entry, dict) and all(_text(entry.get(name)).strip(" ./") for name in ("id", "type"))
    ]


def read_error(document: Any) -> str:
    """Return VoipNow's own word for an error, "" for none: {"error": "word"} or {"error": {"code": ...}}.

    A word that is as long as a token or a secret is left out: it may be the one that was sent.
    """
    error = document.get("error") if isinstance(document, dict) else None
    code = error.get("code", error.get("message")) if isinstance(error, dict) else error
    text = _SECRET.sub("...", str(code)) if isinstance(code, str | int) else ""
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in text[:MOST_CHARS])


def name_in(caller_id: str) -> str:
    """Return the name of a caller id, such as John Doe of "John Doe <4242425>"."""
    return caller_id.rpartition("<")[0].strip()


def number_in(caller_id: str) -> str:
    """Return the number of a caller id, such as 4242425 of "John Doe <4242425>"."""
    _, _, behind = caller_id.rpartition("<")
    return behind.partition(">")[0].strip()


def _read_call(entry: Any) -> PhoneCall | None:
    call_id = _text(entry.get("id")) if isinstance(entry, dict) else ""
    if not call_id.strip(" ./") or call_id.startswith(_OF_ALL):
        return None
    views = map(_read_view, _each(entry.get("phoneCallView")))
    return PhoneCall(call_id, tuple(view for view in views if view is not None))


def _read_view(entry: Any) -> View | None:
    if not isinstance(entry, dict) or not (extension := _text(entry.get("extension"))):
        return None
    caller_id = next((entry[name] for name in _CALLER_IDS if name in entry), "")
    holder = _integer(entry.get("holder"))
    return View(
        id=_text(entry.get("id")),
        extension=extension,
        source=_numbers(entry.get("source")),
        destination=_numbers(entry.get("destination")),
        flow=_integer(entry.get("flow")) or 0,
        status=_integer(entry.get("status")) or 0,
        is_answered=_is_date(entry.get("answered")),
        is_held=_is_date(entry.get("onHold")),
        is_parked=_is_date(entry.get("parked")),
        is_holder=None if holder is None else holder == 1,
        caller_id=_text(caller_id),
    )


def _each(entries: Any) -> Iterator[Any]:
    """Yield what is in a list, in an object by id, or alone."""
    if isinstance(entries, list):
        yield from entries
    elif isinstance(entries, dict) and "id" in entries:
        yield entries
    elif isinstance(entries, dict):
        yield from entries.values()


def _numbers(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(text for text in map(_text, values) if text)


def _is_date(value: Any) -> bool:
    """Say whether there is a date; "0000-00-00 00:00:00", "0" and "false" are none."""
    return value is True or (bool(value) and str(value).strip("0-:. TZ") not in ("", "false", "null"))


def _text(value: Any) -> str:
    """Return a text or a number as a text; "" for anything else, and for what is longer or odder than any may be."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value)
    return text if len(text) <= MOST_CHARS and text.isprintable() else ""


def _integer(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= MOST_CHARS:
        return int(value)
    return value if isinstance(value, int) else None
