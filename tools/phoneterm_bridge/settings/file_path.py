"""A setting that is the path of a file, which must have a name. Does not look whether the file is there."""

from pathlib import Path

from pydantic_core import PydanticCustomError


def require_name(path: Path | None) -> Path | None:
    """Return a path of a setting; refuse one that no file can have."""
    if path is not None and (not path.name or "\0" in str(path)):
        raise PydanticCustomError("no_file", "it names no file")
    if path is not None and not all(letter.isprintable() for letter in str(path)):
        raise PydanticCustomError("no_file", "it has a line's end or another character that cannot be printed")
    return path
