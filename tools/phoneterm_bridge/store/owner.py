"""Ensures that only one bridge works with a store: two would answer the same commands. Does not open the store.

The mark is a lock on the file `<store>.bridge.lock`. The system releases it with the process, however that ends. The
command line writes to the directory without it. It is not the lock of `store_lock`, which all users share.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.file_lock import try_lock
from phoneterm_bridge.store.private_files import give_to_owner, make_folder


@contextlib.contextmanager
def own_store(path: Path) -> Iterator[None]:
    """Be the only bridge of a store until the end of the block; SetupProblem when there is another one."""
    if path.exists() and not path.is_file():
        raise SetupProblem(f"The store {path} is no file; store.path names another.")
    lock = path.with_name(path.name + ".bridge.lock")
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
        if not try_lock(file, is_shared=False):
            raise SetupProblem(
                f"Another bridge works with the store {path} already: stop that one first, or give this one a store of "
                "its own (store.path)."
            )
        yield
    finally:
        os.close(file)
