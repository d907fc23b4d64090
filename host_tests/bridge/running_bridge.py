"""A bridge in its own process, as `phoneterm bridge run` starts it; its log can be read while it runs."""

import asyncio
import json
import os
import sys

from phoneterm_bridge.settings.bridge import secrets_in
from phoneterm_bridge.settings.variables import variable_of

PATIENCE_S = 30
_CLI = "from phoneterm_bridge.cli import bridge_app; bridge_app()"


class RunningBridge:
    """One process; leaving the block always ends it."""

    def __init__(self, *settings, environment=None):
        given = ("log.format=json", "broker.port=0", *settings)
        self._arguments = ["-c", _CLI, "run", *(f"--set={one}" for one in given if not secrets_in([one]))]
        secrets = dict(one.split("=", 1) for one in given if secrets_in([one]))
        hidden = {variable_of(*name.split(".")): value for name, value in secrets.items()}
        self._environment = {**os.environ, **hidden, **(environment or {})}
        self.log = []

    async def __aenter__(self):
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, *self._arguments, env=self._environment, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_):
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading

    async def _read(self):
        while line := await self._process.stderr.readline():
            self.log.append(line.decode().rstrip())

    def events(self):
        """Return the names of all events logged so far; a line that is no event is an error."""
        return [json.loads(line)["event"] for line in self.log]

    async def event(self, name, count=1):
        """Return the fields of an event once it is logged (for the `count`th time)."""
        async with asyncio.timeout(PATIENCE_S):
            while self.events().count(name) < count:
                assert self._process.returncode is None or not self._reading.done(), self.log
                await asyncio.sleep(0.01)
        return [line for line in map(json.loads, self.log) if line["event"] == name][count - 1]

    @property
    def pid(self):
        return self._process.pid

    def signal(self, number):
        self._process.send_signal(number)

    async def exit_code(self):
        """Wait for the end; every line of the log must be an event, and none an exception."""
        async with asyncio.timeout(PATIENCE_S):
            code = await self._process.wait()
            await self._reading
        assert not [line for line in map(json.loads, self.log) if "exception" in line], self.log
        return code
