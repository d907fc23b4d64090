"""Makes private files and folders whose owner is the owner of the folder around them, whoever runs the command.

Does not know what is in them. So root's commands leave nothing behind that the service's user cannot open. SQLite
itself gives the files beside a database (`-wal`, `-shm`) the database's owner and mode. Settings are root's, and the
service reads them as the group of their folder. Errors are OSError.
"""

import errno
import os
import stat
from pathlib import Path

_FILE_MODE = 0o600
_FILE_MODE_FOR_GROUP = 0o640
_FOLDER_MODE = 0o700


def mode_of_settings(folder: Path) -> int:
    """Return the mode of settings in a folder: if it is open to its group and closed to others, they are for the group.

    So /etc/phoneterm is for the service's group.
    """
    mode = folder.stat().st_mode
    is_open_to_group = mode & stat.S_IRGRP and mode & stat.S_IXGRP and not mode & stat.S_IRWXO
    return _FILE_MODE_FOR_GROUP if is_open_to_group else _FILE_MODE


def make_file(path: Path, mode: int = _FILE_MODE) -> None:
    """Make an empty file; FileExistsError when it exists already."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
    try:
        os.fchmod(file, mode)
        give_to_owner(file, path.parent)
    finally:
        os.close(file)


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file as a whole, or make it; whoever is just reading it sees the old one or the new one.

    It keeps the owner that it had; a new one gets its folder's.
    """
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    make_file(fresh)
    fresh.write_bytes(content)
    if path.exists():
        before = path.stat()
        if (before.st_uid, before.st_gid) != (fresh.stat().st_uid, fresh.stat().st_gid):
            os.chown(fresh, before.st_uid, before.st_gid)
    fresh.replace(path)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, unless it exists."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)
    give_to_owner(folder, folder.parent)


def give_to_owner(path: Path | int, folder: Path) -> None:
    """Give a file that root has made to the owner of the folder: the user that the bridge runs as."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def make_private(path: Path) -> None:
    """Take a file from everybody but its owner."""
    if path.stat().st_mode & 0o077:
        path.chmod(_FILE_MODE)


def check_folder(folder: Path) -> None:
    """Raise OSError if no file can be made in a folder, or the folder itself cannot be; make nothing."""
    if os.path.lexists(folder):
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    else:
        check_folder(folder.parent)
