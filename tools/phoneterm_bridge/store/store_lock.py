"""Who uses a store: everybody who has it open holds its lock together, and who replaces it needs it alone.

Does not open the store. The lock is a file beside the store, which stays; the system lets go of it with the process,
however that ends. Errors are SetupProblem.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phoneterm_bridge.settings.problem import SetupProblem


def share_store(path: Path) -> int:
    """Take part in using the store at `path`; return the descriptor that holds the lock until it is closed."""
    lock = _open(path)
    if not _try_lock(lock, fcntl.LOCK_SH):
        os.close(lock)
        raise SetupProblem(f"The store {path} is being restored at this moment; try again in a while.")
    return lock


@contextmanager
def claim_store(path: Path) -> Iterator[None]:
    """Keep everybody else out of the store at `path`; SetupProblem when somebody uses it."""
    lock = _open(path)
    try:
        if not _try_lock(lock, fcntl.LOCK_EX):
            raise SetupProblem(f"The store {path} is in use: stop the bridge first, and every other phoneterm command.")
        yield
    finally:
        os.close(lock)


def give_to_owner(path: Path | int, folder: Path) -> None:
    """Give a file that root has made to whom the folder belongs: the user that the bridge runs as."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _open(path: Path) -> int:
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    give_to_owner(lock, path.parent)
    return lock


def _try_lock(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
