"""Keeps in a file where VoipNow was asked to tell of calls, so that any later start can take it back. Asks no VoipNow.

What is going to be registered is noted before, and forgotten once it was removed: after a crash too, nothing stands
there that is not known here. It is one file of its owner's alone; whatever cannot be read in it counts as nothing, and
what cannot be written is known for as long as the bridge runs.
"""

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_MOST_BYTES = 4 * 1024 * 1024


class Registered(NamedTuple):
    """What the addresses at one extension begin with, that this bridge has registered or was about to."""

    extension: str
    prefix: str


class KeptRegistrations:
    """The registrations at one VoipNow. path: None keeps them for this run alone."""

    def __init__(self, path: Path | None, server: str) -> None:
        """Read nothing yet. server: of the VoipNow; what was registered at another one is kept, and left alone."""
        self._path = path
        self._server = server
        self._all: set[tuple[str, str, str]] | None = None  # server, extension, prefix; None until the file was read

    def read(self) -> set[Registered]:
        """Return all that may be registered at this server."""
        return {Registered(extension, prefix) for server, extension, prefix in self._load() if server == self._server}

    def add(self, some: Iterable[Registered]) -> None:
        """Note what is going to be registered."""
        self._write(self._load() | {(self._server, *one) for one in some})

    def forget(self, some: Iterable[Registered]) -> None:
        """Forget what was removed."""
        self._write(self._load() - {(self._server, *one) for one in some})

    def _load(self) -> set[tuple[str, str, str]]:
        if self._all is None:
            self._all = set()
            with contextlib.suppress(OSError, ValueError, TypeError, RecursionError):
                if self._path is not None:
                    with self._path.open("rb") as file:
                        kept = json.loads(file.read(_MOST_BYTES))
                    every = {(str(server), str(extension), str(prefix)) for server, extension, prefix in kept}
                    self._all = {one for one in every if one[1].strip(" ./")}  # it stands in an address
        return self._all

    def _write(self, now: set[tuple[str, str, str]]) -> None:
        if now == self._all:
            return
        self._all = now
        if self._path is None:
            return
        new = self._path.with_name(f".{self._path.name}.new")
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(sorted(now), file)
            new.replace(self._path)
