"""Which firmware in use is the newest, and whether another one is outdated. Knows no terminal."""

from collections.abc import Iterable


def find_newest(versions: Iterable[str]) -> str:
    """Return the newest of these versions; empty where there is none."""
    return max(versions, key=_parts_of, default="")


def is_outdated(version: str, newest: str) -> bool:
    """Return whether a version is known and another one than the newest."""
    return bool(version) and version != newest


def _parts_of(version: str) -> tuple:
    return tuple((part.isdigit(), int(part) if part.isdigit() else 0, part) for part in version.split("."))
