"""A setting that is the path of a file, which must have a name, and be a file when it is read. Does not read it."""

import errno
import stat
from pathlib import Path

from pydantic_core import PydanticCustomError


def require_name(path: Path | None) -> Path | None:
    """Return a path of a setting; refuse one that no file can have."""
    if path is not None and (not path.name or "\0" in str(path)):
        raise PydanticCustomError("no_file", "it names no file")
    if path is not None and not all(letter.isprintable() for letter in str(path)):
        raise PydanticCustomError("no_file", "it has a line's end or another character that cannot be printed")
    return path


def require_file(path: Path) -> None:
    """Raise OSError when there is no file to read: at a pipe, a reader might wait for ever."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, f"{path} is no file", str(path))
