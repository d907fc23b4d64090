"""The lock of a store: whoever has the store open holds it shared; whoever replaces the store holds it exclusively.

Does not open the store. The lock is on a file beside the store, and that file stays; the system releases the lock with
the process, however that ends. Errors are SetupProblem.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.file_lock import try_lock
from phoneterm_bridge.store.private_files import give_to_owner

_LOOK_S = 0.05


def share_store(path: Path) -> int:
    """Lock the store at `path` shared; return the descriptor, which holds the lock until it is closed."""
    lock = _open(path)
    if not try_lock(lock, is_shared=True):
        os.close(lock)
        raise SetupProblem(f"The store {path} is being restored at this moment, or upgraded; try again in a while.")
    return lock


@contextmanager
def claim_store(path: Path, patience_s: float = 0) -> Iterator[None]:
    """Lock the store at `path` exclusively; SetupProblem when somebody still uses it after `patience_s`."""
    lock = _open(path)
    try:
        deadline_s = time.monotonic() + patience_s
        while not try_lock(lock, is_shared=False):
            if time.monotonic() >= deadline_s:
                raise SetupProblem(
                    f"The store {path} is in use: stop the bridge first, and every other phoneterm command."
                )
            time.sleep(_LOOK_S)
        yield
    finally:
        os.close(lock)


def _open(path: Path) -> int:
    if path.exists() and not path.is_file():
        raise SetupProblem(f"The store {path} is no file; store.path names another.")
    try:
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        give_to_owner(lock, path.parent)
    except OSError as error:
        raise SetupProblem(f"The store {path} cannot be opened: {error.strerror}; store.path changes it.") from None
    return lock
