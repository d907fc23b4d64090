"""What can happen to the file of a store under a running bridge: replaced, removed, moved. Writes nothing into it."""

import shutil
from pathlib import Path


def replace(path: Path) -> None:
    """Put a copy in the place of the store, as `rsync` or an editor does."""
    copy = Path(f"{path}.copy")
    shutil.copy2(path, copy)
    copy.replace(path)


def remove(path: Path) -> None:
    """Remove the store."""
    path.unlink()


def move(path: Path) -> None:
    """Give the store another name."""
    path.rename(f"{path}.moved")


def replace_log(path: Path) -> None:
    """Put a copy in the place of its write-ahead log."""
    replace(Path(f"{path}-wal"))


def remove_log(path: Path) -> None:
    """Remove its write-ahead log."""
    Path(f"{path}-wal").unlink()


def remove_index(path: Path) -> None:
    """Remove the index of its log, by which programs see what others write there."""
    Path(f"{path}-shm").unlink()


def move_folder(path: Path) -> None:
    """Give its folder another name."""
    path.parent.rename(f"{path.parent}.moved")


REPLACING = (replace, replace_log)
REMOVING = (remove, move, remove_log, remove_index, move_folder)
