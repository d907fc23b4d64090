"""`phoneterm device provision --settings`: brings terminals from their files to boards, one after the other.

Does not need a store or the bridge's machine. A board that goes wrong is told in one sentence, and the same terminal is
asked for again; what is ready is noted beside the files, so the same command goes on with the rest.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import typer
from phoneterm_bridge.settings.problem import SetupProblem

from device_cable import brought as done
from device_cable import nvs
from device_cable.brought import Brought
from device_cable.cli.bringing import check_for, describe, enter, hear, is_ready, say_plain
from device_cable.cli.desk import Desk
from device_cable.client_certificate import ClientCertificate
from device_cable.enrolment import Provision, prepare_from_file
from device_cable.image import BoardChip
from device_cable.label import make_label, read_mac
from device_cable.problem import CableProblem
from device_cable.settings_files import SettingsFile, find_files, read_certificate_beside, read_file
from device_cable.wifi_access import WifiAccess

SKIP, QUIT = "s", "q"


@dataclass(frozen=True)
class Row:
    """What all boards of one command have in common."""

    desk: Desk
    port: str | None
    board: str
    chip: BoardChip
    wifi: WifiAccess
    client: ClientCertificate | None
    is_again: bool
    wait: float


def bring(row: Row, path: Path, is_dry_run: bool) -> bool:
    """Bring the terminal of a file, or those of a folder one after the other; return whether all are ready."""
    paths = find_files(path)
    if path.is_dir() and row.client is not None:
        raise SetupProblem(
            "CERT= and KEY= (--certificate, --key) are one terminal's: put each pair beside its file in the folder, as "
            "TID.pem and TID.key."
        )
    if not path.is_dir():
        file = read_file(path)
        made = _make(row, file)
        if not is_dry_run:
            return _bring_single(row, file, made)
        _say_dry(file, made)
        return True
    waiting, is_complete = _read_all(row, paths)
    if not waiting:
        raise SetupProblem(f"No file in {path} can be used.")
    if is_dry_run:
        for file, made in waiting:
            _say_dry(file, made)
        return is_complete
    with closing(Brought(path)) as brought:
        return _bring_all(row, brought, path, waiting) and is_complete


def _read_all(row: Row, paths: list[Path]) -> tuple[list[tuple[SettingsFile, Provision]], bool]:
    """Return the terminals whose files can be used, and whether that is all of them; say what is wrong with others.

    Of two files for one terminal only the bridge knows which keys count, so neither is used.
    """
    waiting: dict[str, list[tuple[SettingsFile, Provision]]] = {}
    for path in paths:
        try:
            file = read_file(path)
            waiting.setdefault(file.tid, []).append((file, _make(row, file)))
        except SetupProblem as problem:
            typer.echo(str(problem), err=True)
    for tid, several in waiting.items():
        if len(several) > 1:
            found = " and ".join(str(file.path) for file, _ in several)
            typer.echo(f"The files {found} are all for {tid}: keep the one that was written last.", err=True)
    usable = [several[0] for several in waiting.values() if len(several) == 1]
    return usable, len(usable) == len(paths)


def _bring_single(row: Row, file: SettingsFile, made: Provision) -> bool:
    with closing(Brought(file.path.parent)) as brought:
        line = brought.find(file.tid, file.mark)
        if line is not None and line.state == done.READY and not row.is_again:
            raise SetupProblem(
                f"{file.tid} is on the board {line.mac} since {line.time}, and a board is one terminal: for another "
                "board, have its settings made anew (`phoneterm terminal rotate`), or say AGAIN=1 (--again) if that "
                "one is gone."
            )
        return _bring_one(row, file, made, brought)


def _bring_all(row: Row, brought: Brought, folder: Path, files: list[tuple[SettingsFile, Provision]]) -> bool:
    left = [(file, made) for file, made in files if not _is_done(brought, file)]
    typer.echo(f"{len(files)} terminals in {folder}, {len(files) - len(left)} of them are ready on their boards.")
    missing = [file.tid for file, _ in left]
    try:
        for file, made in left:
            answer = _try_until_ready(partial(_bring_one, row, file, made, brought), file)
            if answer == QUIT:
                break
            if answer != SKIP:
                missing.remove(file.tid)
    except (KeyboardInterrupt, typer.Abort):
        typer.echo()  # ends the line of the question
        raise
    finally:
        typer.echo(f"{len(files) - len(missing)} of {len(files)} terminals are ready on their boards.")
        if missing:
            typer.echo(f"Still to come, with the same command: {', '.join(missing)}.", err=True)
    return not missing


def _try_until_ready(attempt: Callable[[], bool], file: SettingsFile) -> str:
    """Ask for the terminal's board until it is ready; return "" then, or the answer with which somebody gave up."""
    question = (
        f"Plug in the board for {file.tid} (extension {file.document.extension}), then press Enter "
        f"({SKIP}: skip it, {QUIT}: stop)"
    )
    while True:
        answer = str(typer.prompt(question, default="", show_default=False)).strip().lower()
        if answer in (SKIP, QUIT):
            return answer
        try:
            if attempt():
                return ""
        except (CableProblem, SetupProblem) as problem:
            typer.echo(str(problem), err=True)


def _bring_one(row: Row, file: SettingsFile, made: Provision, brought: Brought) -> bool:
    """Write a terminal to the board that is plugged in, and listen until it is ready; return whether it is."""
    extension = file.document.extension
    where = row.desk.find_port(row.port)
    with row.desk.open_cable(where) as cable:
        found = enter(cable, row.board, row.chip)
        check_for(cable, found, row.board, made, row.is_again)
        mac = read_mac(cable)
        before = brought.find(file.tid, file.mark)
        nvs.write_settings(cable, made.texts, made.contents)
        brought.add(file.tid, extension, mac, row.board, done.WRITTEN, file.mark)
        typer.echo(f"The board at {cable.port} is {file.tid}, the terminal of extension {extension}.")
        if before is not None and before.mac != mac:
            typer.echo(
                f"The board {before.mac} has had the same keys since {before.time}: wipe it before it is used again.",
                err=True,
            )
        outcome = hear(cable, row.wait)
    if outcome is not None:
        typer.echo(outcome.sentence, err=not outcome.is_good)
    if not is_ready(outcome):
        return False
    brought.add(file.tid, extension, mac, row.board, done.READY, file.mark)
    say_plain(made)
    typer.echo(make_label(extension, file.tid, mac))
    return True


def _is_done(brought: Brought, file: SettingsFile) -> bool:
    line = brought.find(file.tid, file.mark)
    return line is not None and line.state == done.READY


def _make(row: Row, file: SettingsFile) -> Provision:
    try:
        return prepare_from_file(file.document, row.wifi, row.client or read_certificate_beside(file.path))
    except SetupProblem as problem:
        raise SetupProblem(f"{file.path}: {problem}") from None


def _say_dry(file: SettingsFile, made: Provision) -> None:
    typer.echo(f"To the board of {file.tid} (extension {file.document.extension}) goes: {describe(made)}.")
