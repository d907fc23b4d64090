"""Private files with the settings of many terminals in one folder; if the work cannot be done, none of them stays.

Enrols nobody. Whatever would stop the writing can be found before (`check`).
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from phoneterm_bridge.administration.handout import Handout
from phoneterm_bridge.cli.handing_out import write_secret
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.private_files import check_folder
from phoneterm_bridge.store.records import Enrolment


class SettingsFiles:
    """The files of one folder. extensions: of each terminal; handout: None where no terminal gets settings."""

    def __init__(self, folder: Path | None, handout: Handout | None, extensions: dict[str, str]) -> None:
        self._folder = folder
        self._handout = handout
        self._extensions = extensions
        self._written: list[Path] = []

    def write(self, enrolments: Iterable[Enrolment]) -> None:
        """Write a file for each terminal."""
        if self._handout is None:
            return
        for enrolment in enrolments:
            path = _path_of(self._folder, enrolment.tid)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_secret(path, self._handout.document(enrolment, self._extensions[enrolment.tid]))
            self._written.append(path)

    @contextmanager
    def or_none(self) -> Iterator[None]:
        """Remove the files again if what is done in the block fails."""
        try:
            yield
        except BaseException as error:
            for path in self._written:
                path.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise SetupProblem(f"The folder {self._folder} cannot be made: {error.strerror}.") from None
            raise


def check_settings_files(folder: Path | None, tids: Iterable[str]) -> None:
    """Refuse what would stop the writing of these terminals' settings; write nothing."""
    for tid in tids:
        path = _path_of(folder, tid)
        if os.path.lexists(path):
            raise SetupProblem(f"The file {path} exists already; --output names another folder.")
        try:
            check_folder(path.parent)
        except OSError as error:
            raise SetupProblem(f"The folder {folder} cannot be written: {error.strerror}.") from None


def _path_of(folder: Path | None, tid: str) -> Path:
    return (folder or Path()) / f"{tid}.json"
