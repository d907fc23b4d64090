"""A real mosquitto that runs with exactly what `phoneterm broker config` wrote, on a free port of 127.0.0.1.

Does not add or change a line. As root it does what the command tells an administrator to do: it gives the files to the
user mosquitto, under which mosquitto then runs.
"""

import asyncio
import os
import shutil
import signal
import socket

from phoneterm_bridge.cli import broker_app
from phoneterm_bridge.settings.bridge import BrokerSettings
from typer.testing import CliRunner

PATIENCE_S = 20
BRIDGE_PASSWORD = "a password of the bridge"


class ProductionMosquitto:
    """The broker of one store; `settings` are the bridge's for it."""

    def __init__(self, part, **broker_settings):
        self._part = part
        self.folder = part.make_folder()
        self._process = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.settings = BrokerSettings(
            embedded=False, port=port, password=BRIDGE_PASSWORD, keepalive_s=5, **broker_settings
        )

    def write_config(self, store_path, *options):
        """Run `phoneterm broker config` for a store."""
        settings = {"store.path": store_path}
        for name in type(self.settings).model_fields:
            if name not in ("password", "username", "keepalive_s"):
                settings[f"broker.{name}"] = getattr(self.settings, name)
        arguments = [f"--set={name}={value}" for name, value in settings.items() if value is not None]
        seen_as = f"--seen-as={self._part.inside(self.folder)}"
        words = ["config", str(self.folder), seen_as, *arguments, *options]
        result = CliRunner().invoke(broker_app, words, env={"PHONETERM_BROKER__PASSWORD": BRIDGE_PASSWORD})
        assert result.exit_code == 0, result.output
        if os.geteuid() == 0:
            self._give_to_mosquitto()
        return result.output

    async def start(self):
        """Start it and return once it listens."""
        log = (self.folder / "log").open("ab")
        config = self._part.inside(self.folder / "mosquitto.conf")
        self._process = await asyncio.create_subprocess_exec(*self._part.argv, "-c", config, stdout=log, stderr=log)
        log.close()
        deadline_s = asyncio.get_running_loop().time() + PATIENCE_S
        while not await self._is_listening():
            is_late = asyncio.get_running_loop().time() > deadline_s
            assert self._process.returncode is None and not is_late, (self.folder / "log").read_text()
            await asyncio.sleep(0.01)

    def reload(self):
        """Make it read passwords and rules again."""
        self._process.send_signal(signal.SIGHUP)

    async def remove(self):
        """End it, and remove its files."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()
        shutil.rmtree(self.folder)

    async def _is_listening(self):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.settings.port)
        except OSError:
            return False
        writer.close()
        return True

    def _give_to_mosquitto(self):
        accounts = (self._part.root / "etc" / "passwd").read_text().splitlines()
        users = {line.split(":")[0]: line.split(":")[2:4] for line in accounts}
        uid, gid = (int(text) for text in users.get("mosquitto") or users["nobody"])
        for path in (self.folder, *self.folder.iterdir()):
            os.chown(path, uid, gid)
