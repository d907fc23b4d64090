"""Who uses a store: everybody who has it open holds its lock together, and who replaces it needs it alone.

Does not open the store. The lock is a file beside the store, which stays; the system lets go of it with the process,
however that ends. Errors are SetupProblem.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.private_files import give_to_owner

_LOOK_S = 0.05


def share_store(path: Path) -> int:
    """Take part in using the store at `path`; return the descriptor that holds the lock until it is closed."""
    lock = _open(path)
    if not _try_lock(lock, fcntl.LOCK_SH):
        os.close(lock)
        raise SetupProblem(f"The store {path} is being restored at this moment, or upgraded; try again in a while.")
    return lock


@contextmanager
def claim_store(path: Path, patience_s: float = 0) -> Iterator[None]:
    """Keep everybody else out of the store at `path`; SetupProblem when somebody goes on using it for so long."""
    lock = _open(path)
    try:
        deadline_s = time.monotonic() + patience_s
        while not _try_lock(lock, fcntl.LOCK_EX):
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


def _try_lock(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
