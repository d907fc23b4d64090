"""Where the files of a mosquitto are: all in one folder, or as Debian's package has them. Does not know their content.

A folder with a conf.d in it is laid out as Debian's /etc/mosquitto. Its mosquitto.conf stays as it is and reads
conf.d/phoneterm.conf, which everybody may read. The other files, with copies of certificate and key, are in phoneterm/;
that folder belongs to the user that mosquitto runs as, who reads them again at each reload, as nobody else can. In any
other folder all files are private, and whoever starts mosquitto gives them to its user.
"""

import os
from dataclasses import dataclass
from pathlib import Path, PurePath

from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.private_files import replace_file

DEBIAN = Path("/etc/mosquitto")
USER = "mosquitto"
_OURS = "phoneterm"
_CONFIG_MODE = 0o644
# Settings that a mosquitto has once, or of which one elsewhere would undo ours.
_ONCE = (
    "password_file",
    "acl_file",
    "per_listener_settings",
    "allow_anonymous",
    "psk_file",
    "use_identity_as_username",
)


@dataclass(frozen=True)
class MosquittoFolder:
    """config: the path of the configuration; folder: of the other files; seen_as: that folder for mosquitto."""

    config: Path
    folder: Path
    seen_as: PurePath
    is_debian: bool

    def present_address(self) -> str | None:
        """Return the address on which Debian's mosquitto listens for terminals by the present file, if there is one."""
        listeners = [line.split() for line in _read_lines(self.config) if line.startswith("listener ")]
        return listeners[-1][2] if self.is_debian and listeners and len(listeners[-1]) == 3 else None

    def refuse_conflicts(self, port: int) -> None:
        """Refuse to write beside another configuration that says the same things, or listens on the same port."""
        if not self.is_debian:
            return
        root = self.config.parent.parent
        for path in (root / "mosquitto.conf", *sorted((root / "conf.d").glob("*.conf"))):
            if path != self.config:
                for line in _read_lines(path):
                    words = line.split()
                    if words[:1] and (words[0] in _ONCE or words[:2] in (["listener", str(port)], ["port", str(port)])):
                        raise SetupProblem(
                            f"The file {path} has the line {line[:80]!r}, which does not fit phoneterm.conf beside it: "
                            "take it out, or give the phones a mosquitto of their own (phoneterm broker config FOLDER)."
                        )

    def write(self, name: str, content: bytes) -> bool:
        """Write one of the files, unless it is the same already; return whether it was written."""
        path = self.config if name == self.config.name else self.folder / name
        try:
            if path.exists() and path.read_bytes() == content:
                return False
            replace_file(path, content)
            if self.is_debian and path == self.config:
                path.chmod(_CONFIG_MODE)
        except OSError as error:
            raise SetupProblem(f"The file {path} cannot be written: {error.strerror}.") from None
        return True

    def make(self) -> None:
        """Make the folder, unless it exists."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SetupProblem(f"The folder {self.folder} cannot be made: {error.strerror}.") from None

    def give_to(self, owner: str) -> None:
        """Give Debian's private folder with all its files to mosquitto's user; only root can, and needs to."""
        if not self.is_debian or os.geteuid() != 0:
            return
        uid, gid = _find_user(owner)
        for path in (self.folder, *self.folder.iterdir()):
            os.chown(path, uid, gid)


def find_folder(folder: Path, seen_as: Path | None, debian: Path = DEBIAN) -> MosquittoFolder:
    """Return where the files for a mosquitto go; `seen_as`: the folder as mosquitto sees it, if that differs.

    SetupProblem when it is Debian's, and the package is not there: a file of ours would be in its way later.
    """
    seen = seen_as or folder.absolute()
    if (folder / "conf.d").is_dir():
        return MosquittoFolder(folder / "conf.d" / f"{_OURS}.conf", folder / _OURS, seen / _OURS, True)
    if folder == debian:
        raise SetupProblem(
            f"There is no {folder / 'conf.d'} on this machine: `apt install mosquitto` makes it; or name the folder of "
            "another mosquitto (phoneterm broker config FOLDER)."
        )
    return MosquittoFolder(folder / "mosquitto.conf", folder, seen, False)


def _find_user(owner: str) -> tuple[int, int]:
    """Return the numbers of a user, given as NAME or UID:GID."""
    uid, separator, gid = owner.partition(":")
    if separator and uid.isdecimal() and gid.isdecimal():
        return int(uid), int(gid)
    import pwd  # here, because Windows has none, and the commands for boards load this module too

    try:
        user = pwd.getpwnam(owner)
    except KeyError:
        raise SetupProblem(
            f"There is no user {owner!r} on this machine: `apt install mosquitto` makes it; --owner names another."
        ) from None
    return user.pw_uid, user.pw_gid


def _read_lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SetupProblem(f"The file {path} cannot be read: {error.strerror}.") from None
