"""Reads a file of environment variables as systemd reads a service's (EnvironmentFile=). Sets no variable.

A line is NAME=VALUE; empty lines, and lines that begin with # or ;, are skipped. A value may be in single or double
quotes and may then span several lines; outside quotes a backslash keeps the next character as it is.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_NAME = re.compile(r"[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*")
_EXPORTED = re.compile(r"[ \t]*export[ \t]+[A-Za-z_]")
_PASSED_OVER = re.compile(r"[ \t]*(?:[#;][^\n]*)?(?:\n|\Z)")
_SINGLE = re.compile(r"'([^']*)'")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r"((?:[^\n\\]|\\.)*?)(?:[ \t]*(?:\n|\Z)|\\\Z)", re.DOTALL)
_END = re.compile(r"[ \t]*(?:\n|\Z)")
_IN_DOUBLE = re.compile(r'\\(["\\`$\n])')
_IN_BARE = re.compile(r"\\(.)", re.DOTALL)


class Variable(NamedTuple):
    """One variable; `value` is None for a line that cannot be read, as one that begins with a shell's `export`."""

    line: int
    name: str
    value: str | None
    is_exported: bool = False


def read_variables(text: str) -> Iterator[Variable]:
    """Yield the variables of a file, in order."""
    text, at = text.replace("\r\n", "\n").replace("\r", "\n"), 0
    while at < len(text):
        if found := _PASSED_OVER.match(text, at):
            at = found.end()
            continue
        line = text.count("\n", 0, at) + 1
        name = _NAME.match(text, at)
        read = _read_value(text, name.end()) if name else None
        if name is None or read is None:
            yield Variable(line, name[1] if name else "", None, _EXPORTED.match(text, at) is not None)
            at = _after_line(text, at)
            continue
        value, at = read
        yield Variable(line, name[1], value)


def _read_value(text: str, at: int) -> tuple[str, int] | None:
    """Return a value and where the next line begins; None if a quote is not closed, or more follows it on the line."""
    for pattern, escaped in ((_SINGLE, None), (_DOUBLE, _IN_DOUBLE)):
        if text[at : at + 1] == pattern.pattern[0]:
            found = pattern.match(text, at)
            end = found and _END.match(text, found.end())
            if found is None or end is None:
                return None
            return (escaped.sub(_unescape, found[1]) if escaped else found[1]), max(end.end(), at + 1)
    found = _BARE.match(text, at)
    assert found is not None
    return _IN_BARE.sub(_unescape, found[1]), max(found.end(), at + 1)


def _unescape(found: re.Match[str]) -> str:
    return "" if found[1] == "\n" else found[1]


def _after_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1
