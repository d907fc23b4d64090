"""A real mosquitto that runs with exactly what `phoneterm broker config` wrote, on a free port of 127.0.0.1.

Does not add or change a line. As root it does what the command tells an administrator to do: it gives the files to the
user mosquitto, under which mosquitto then runs.
"""

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import Process
from pathlib import Path
from typing import Any

from lab_parts.free_port import free_port
from lab_parts.parts import Part
from phoneterm_bridge.cli import broker_app
from phoneterm_bridge.settings.bridge import BrokerSettings
from pydantic import SecretStr
from typer.testing import CliRunner

from attack_lab.scenery.waiting import PATIENCE_S

BRIDGE_PASSWORD = "a password of the bridge"  # noqa: S105 (on loopback, for as long as one test)


class ProductionMosquitto:
    """The broker of one store; `settings` are the bridge's for it."""

    def __init__(self, part: Part, **broker_settings: Any) -> None:
        self._part = part
        self.folder = part.make_folder()
        self._process: Process | None = None
        password = SecretStr(BRIDGE_PASSWORD)
        self.settings = BrokerSettings(
            embedded=False, port=free_port(), password=password, keepalive_s=5, **broker_settings
        )

    def write_config(self, store_path: Path, *options: str) -> str:
        """Run `phoneterm broker config` for a store."""
        settings: dict[str, object] = {"store.path": store_path}
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

    async def start(self) -> None:
        """Start it and return once it listens."""
        log = (self.folder / "log").open("ab")
        config = self._part.inside(self.folder / "mosquitto.conf")
        self._process = await asyncio.create_subprocess_exec(*self._part.argv, "-c", config, stdout=log, stderr=log)
        log.close()
        deadline_s = asyncio.get_running_loop().time() + PATIENCE_S
        while not await self._is_listening():
            is_late = asyncio.get_running_loop().time() > deadline_s
            if is_late or self._process.returncode is not None:
                raise AssertionError(f"mosquitto does not listen: {(self.folder / 'log').read_text()}")
            await asyncio.sleep(0.01)

    def reload(self) -> None:
        """Make it read passwords and rules again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    async def remove(self) -> None:
        """End it, and remove its files."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()
        shutil.rmtree(self.folder)

    async def _is_listening(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.settings.port)
        except OSError:
            return False
        writer.close()
        return True

    def _give_to_mosquitto(self) -> None:
        accounts = (self._part.root / "etc" / "passwd").read_text().splitlines()
        users = {line.split(":")[0]: line.split(":")[2:4] for line in accounts}
        uid, gid = (int(text) for text in users.get("mosquitto") or users["nobody"])
        for path in (self.folder, *self.folder.iterdir()):
            os.chown(path, uid, gid)
