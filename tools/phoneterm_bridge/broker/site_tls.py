"""The folder with a site's CA and its broker's certificate: makes, renews and reads the four files in it.

Does not print, and tells no broker. Every file is 0600 and belongs to the owner of the folder, which is the user that
the bridge runs as. Trouble is a SetupProblem that names the file.
"""

import contextlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from phoneterm_bridge.broker import authority
from phoneterm_bridge.broker.authority import Issued
from phoneterm_bridge.settings.file_path import require_file
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.private_files import make_file, make_folder, replace_file

CA, CA_KEY, BROKER, BROKER_KEY = "ca.pem", "ca.key", "broker.pem", "broker.key"


class SiteTls:
    """The files of one folder, which need not exist yet."""

    def __init__(self, folder: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.folder = folder
        self._now = now

    def path(self, name: str) -> Path:
        """Return the path of one of the files."""
        return self.folder / name

    def make(self, site: str, names: list[str], days: int) -> None:
        """Make CA and broker's certificate; SetupProblem, and no file, when one of them exists already."""
        for name in (CA, CA_KEY, BROKER, BROKER_KEY):
            if os.path.lexists(self.path(name)):
                raise SetupProblem(
                    f"The file {self.path(name)} exists already and is kept: `phoneterm tls renew` makes a new "
                    "certificate by the same CA; a new CA needs another folder (--folder) and a visit to every board."
                )
        ca = authority.make_ca(site, self._now())
        broker = authority.sign_broker(ca, names, self._now(), days)
        made: list[Path] = []
        try:
            make_folder(self.folder)
            for name, content in (
                (CA_KEY, ca.key), (CA, ca.certificate), (BROKER_KEY, broker.key), (BROKER, broker.certificate)
            ):  # fmt: skip
                make_file(self.path(name))
                made.append(self.path(name))
                self.path(name).write_bytes(content)
        except OSError as error:
            for path in made:
                with contextlib.suppress(OSError):
                    path.unlink()
            raise SetupProblem(f"The folder {self.folder} cannot be written: {error.strerror}.") from None

    def renew(self, names: list[str], days: int) -> None:
        """Replace the broker's certificate and key; without names, the new one is for those of the old one."""
        self.read(CA)
        ca = Issued(self._content(CA), self._content(CA_KEY))
        names = names or authority.names_of(self.read(BROKER))
        try:
            fresh = authority.sign_broker(ca, names, self._now(), days)
        except SetupProblem as problem:
            raise SetupProblem(f"{problem} See {self.path(CA)} and {self.path(CA_KEY)}.") from None
        try:
            replace_file(self.path(BROKER_KEY), fresh.key)
            replace_file(self.path(BROKER), fresh.certificate)
        except OSError as error:
            raise SetupProblem(f"The folder {self.folder} cannot be written: {error.strerror}.") from None

    def read(self, name: str) -> x509.Certificate:
        """Return one of the certificates."""
        content = self._content(name)
        try:
            return authority.read_certificate(content)
        except SetupProblem as problem:
            raise SetupProblem(f"The file {self.path(name)} cannot be used. {problem}") from None

    def days_left(self, name: str) -> int:
        """Return for how many days a certificate is still good; below 0 when it has ended."""
        return (self.read(name).not_valid_after_utc - self._now()).days

    def _content(self, name: str) -> bytes:
        path = self.path(name)
        try:
            require_file(path)
            return path.read_bytes()
        except FileNotFoundError:
            if name == CA_KEY:
                raise SetupProblem(
                    f"There is no {path}: bring the CA's key back from where it is kept; without it, every board must "
                    "be visited with a new CA (phoneterm tls init --folder NEW)."
                ) from None
            raise SetupProblem(
                f"There is no {path}: `phoneterm tls init` makes CA and certificate; --folder names another folder."
            ) from None
        except OSError as error:
            raise SetupProblem(f"The file {path} cannot be read: {error.strerror}.") from None
