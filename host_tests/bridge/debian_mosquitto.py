"""A mosquitto of Debian's package as its own service runs it: Debian's /etc/mosquitto, its unit's user, its reload.

The files are a copy of the package's, mounted over the original in a name space of the process's own, so that tests can
run side by side. Only port numbers are the test's. Needs root, as Debian's service does.
"""

import asyncio
import configparser
import os
import shutil
import signal

import name_spaces
from lab_parts.free_port import free_port
from phoneterm_bridge.cli import broker_app
from typer.testing import CliRunner

_PATIENCE_S = 20
_START = (
    f"set -e\n{name_spaces.MAKE_PRIVATE}"
    + """
mount --bind "$1/etc" "$2/etc/mosquitto"
mount --bind "$1/log" "$2/var/log/mosquitto"
mount --bind "$1/lib" "$2/var/lib/mosquitto"
mkdir -p "$2/run"  # missing where the package is only unpacked
mount --bind "$1/run" "$2/run"
shift 2
exec "$@"
"""
)


def is_possible(part):
    """Say whether the part is in a Debian root of its own, and name spaces can be made here."""
    return name_spaces.are_possible() and str(part.root) != "/"


class DebianMosquitto:
    """The service of one Debian root; `folder` is its /etc/mosquitto."""

    def __init__(self, part, scratch):
        self._root, self._scratch = part.root, scratch
        self.folder = scratch / "etc"
        shutil.copytree(part.root / "etc" / "mosquitto", self.folder)
        uid, gid = self.user
        for name in ("log", "lib", "run", "run/mosquitto"):
            (scratch / name).mkdir()
            os.chown(scratch / name, uid, gid)
        self._process = None
        self.port = free_port()

    @property
    def user(self):
        """Return uid and gid of the user mosquitto in the root."""
        for line in (self._root / "etc" / "passwd").read_text().splitlines():
            if line.startswith("mosquitto:"):
                return tuple(int(text) for text in line.split(":")[2:4])
        raise AssertionError("the package has made no user mosquitto")

    def write_config(self, password, *settings):
        """Run `phoneterm broker config` for this folder, and return what it printed."""
        owner = "--owner={}:{}".format(*self.user)
        arguments = [str(self.folder), "--seen-as=/etc/mosquitto", "--listen=127.0.0.1", owner]
        words = ["config", *arguments, *(f"--set={text}" for text in settings)]
        result = CliRunner().invoke(broker_app, words, env={"PHONETERM_BROKER__PASSWORD": password})
        assert result.exit_code == 0, result.output
        return result.output

    async def start(self):
        """Start it as the unit does, and return once it listens."""
        unit = configparser.ConfigParser(interpolation=None, strict=False)
        found = [path for path in ("usr/lib", "lib") if (self._root / path / _UNIT).exists()]
        unit.read(self._root / found[0] / _UNIT)
        service = unit["Service"]
        assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
        user = [f"--userspec={service['User']}"] if "User" in service else []
        command = ["chroot", *user, str(self._root), *service["ExecStart"].split()]
        self._process = await asyncio.create_subprocess_exec(
            *name_spaces.UNSHARE, "sh", "-c", _START, "start", str(self._scratch), str(self._root), *command
        )
        deadline_s = asyncio.get_running_loop().time() + _PATIENCE_S
        while not await self._is_listening():
            is_late = asyncio.get_running_loop().time() > deadline_s
            assert self._process.returncode is None and not is_late, self.log()
            await asyncio.sleep(0.01)

    def reload(self):
        """Do what `systemctl reload mosquitto` does."""
        self._process.send_signal(signal.SIGHUP)

    def log(self):
        path = self._scratch / "log" / "mosquitto.log"
        return path.read_text() if path.exists() else ""

    async def stop(self):
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def _is_listening(self):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True


_UNIT = "systemd/system/mosquitto.service"
