"""The files that the bridge's machine has written for terminals, one each: finds and reads them for a board.

Does not change them. A file has secrets, so it must be private. One that cannot be used raises a SetupProblem that
names it.
"""

import hashlib
import re
import stat
from pathlib import Path
from typing import NamedTuple

from phoneterm.core import messages
from phoneterm_bridge.broker import terminal_document
from phoneterm_bridge.broker.terminal_document import TerminalDocument
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import names

from device_cable.client_certificate import ClientCertificate, read_client_certificate

_MOST_BYTES = 64 * 1024
_MARK_DIGITS = 16


class SettingsFile(NamedTuple):
    """A terminal's file; `mark` is another one when its content is."""

    path: Path
    document: TerminalDocument
    mark: str

    @property
    def tid(self) -> str:
        """Return the terminal's id."""
        return self.document.texts["tid"]


def find_files(path: Path) -> list[Path]:
    """Return the file, or the files in the folder in the order of the numbers in their names."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise SetupProblem(
            f"There is no file or folder {path}: `phoneterm terminal add --output` and `phoneterm user import "
            "--output` write such files, on the machine of the bridge."
        )
    try:
        entries = [entry for entry in path.iterdir() if entry.suffix == ".json"]
    except OSError as error:
        raise SetupProblem(f"The folder {path} cannot be read: {error.strerror}.") from None
    found = sorted((entry for entry in entries if entry.name[0] != "."), key=_split_numbers)  # a Mac's are no settings
    if not found:
        raise SetupProblem(f"The folder {path} has no settings of terminals (TID.json) in it.")
    return found


def read_file(path: Path) -> SettingsFile:
    """Return the terminal of a file."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # nobody might ever write to a pipe
            raise SetupProblem(f"{path} is no file, so it has no settings of a terminal.")
        if stat.S_IMODE(mode) & 0o077:
            raise SetupProblem(
                f"The file {path} can be read by others, and has secrets in it: chmod 600 {path} (where that changes "
                "nothing, as on a memory stick, copy the file to a folder of your own)."
            )
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES)
    except OSError as error:
        raise SetupProblem(f"The file {path} cannot be read: {error.strerror}.") from None
    try:
        document = terminal_document.decode(content.decode("utf-8-sig"))
        if not messages.is_tid(document.texts["tid"]):
            raise ValueError("the terminal's id in it is none")
        if names.problem_of_extension(document.extension):
            raise ValueError("the extension in it is none")
    except UnicodeDecodeError:
        raise SetupProblem(f"The file {path} is not the settings of a terminal: it is not UTF-8.") from None
    except ValueError as error:
        raise SetupProblem(
            f"The file {path} is not the settings of a terminal: {error}. `phoneterm terminal rotate TID --output` "
            "writes them anew, on the machine of the bridge."
        ) from None
    return SettingsFile(path, document, hashlib.sha256(content).hexdigest()[:_MARK_DIGITS])


def read_certificate_beside(path: Path) -> ClientCertificate | None:
    """Return the terminal's own certificate and key if they lie beside its file, as t101.pem and t101.key."""
    pair = path.with_suffix(".pem"), path.with_suffix(".key")
    return read_client_certificate(*pair) if any(one.exists() for one in pair) else None


def _split_numbers(path: Path) -> list[tuple[int, str]]:
    """Return a key by which t9 comes before t10."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"([0-9]+)", path.stem)]
