"""Ensures that only one bridge works with a store: two would answer the same commands. Does not open the store.

The mark is a lock on the file `<store>.bridge.lock`, in which the bridge notes the files that it has open. The system
releases it with the process, however that ends. The command line writes to the directory without it. It is not the lock
of `store_lock`, which all users share.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.file_lock import try_lock
from phoneterm_bridge.store.private_files import give_to_owner, make_folder
from phoneterm_bridge.store.store_file import Files, find_files

_TRIES, _PAUSE_S = 10, 0.02


def is_bridge_running(path: Path) -> bool:
    """Say whether a bridge works with a store; this makes and changes nothing, and False may also mean: not visible."""
    try:
        file = os.open(_lock_of(path), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not try_lock(file, is_shared=True)
    finally:
        os.close(file)


@contextlib.contextmanager
def own_store(path: Path) -> Iterator[int]:
    """Be the only bridge of a store until the end of the block; yield the descriptor of the mark.

    SetupProblem when there is another one.
    """
    if path.exists() and not path.is_file():
        raise SetupProblem(f"The store {path} is no file; store.path names another.")
    lock = _lock_of(path)
    try:
        make_folder(path.parent)
    except OSError as error:
        raise SetupProblem(f"The store {path} cannot be opened: {error.strerror}; store.path changes it.") from None
    try:
        file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        give_to_owner(file, path.parent)
    except OSError as error:
        raise SetupProblem(f"The file {lock} cannot be written: {error.strerror}.") from None
    try:
        if not _lock(file):
            raise SetupProblem(
                f"Another bridge works with the store {path} already: stop that one first, or give this one a store of "
                "its own (store.path)."
            )
        os.ftruncate(file, 0)
        yield file
    finally:
        os.close(file)


def note_files(mark: int, files: Files | None) -> None:
    """Note in the mark which files the bridge has open, so that others can compare."""
    text = json.dumps(files).encode()
    os.ftruncate(mark, 0)
    os.pwrite(mark, text, 0)


def is_file_changed(path: Path) -> bool:
    """Say whether a running bridge has other files open than the store's; False may also mean: not visible."""
    if not is_bridge_running(path):
        return False
    try:
        noted = json.loads(_lock_of(path).read_bytes() or b"null")
    except (OSError, ValueError):
        return False
    if noted is None:
        return False
    return noted != json.loads(json.dumps(find_files(path)))[: len(noted)]  # an earlier version notes fewer files


def _lock_of(path: Path) -> Path:
    return path.with_name(path.name + ".bridge.lock")


def _lock(file: int) -> bool:
    """Take the lock and return True, or False when another bridge has it; who only looks has it for an instant."""
    for _ in range(_TRIES):
        if try_lock(file, is_shared=False):
            return True
        time.sleep(_PAUSE_S)
    return False
