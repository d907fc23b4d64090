"""Starts stories about the MQTT client on the MicroPython VM and follows their output.

Does not know brokers; `vm_modules/client_lab.py` is the other half, inside the VM.
"""

import asyncio
import json
from pathlib import Path

from virtual_phone import vm
from vm_program import FIRMWARE

_HERE = Path(__file__).parent
PATIENCE_S = 30


class VmStory:
    """One running story; `said` holds its output, `logged` the client's log."""

    def __init__(self, process):
        self.said = []
        self.logged = []
        self.trouble = []
        self._process = process
        self._news = asyncio.Condition()
        self._follower = asyncio.create_task(self._follow())

    @classmethod
    async def start(cls, name, arguments, options, heap_kib=vm.CHIP_HEAP_KIB):
        """Start a story of `vm_modules/mqtt_stories.py`, with its own arguments and options of the client."""
        script = _HERE / "vm_modules" / "client_lab.py"
        argv, environment = vm.command(script, heap_kib, [FIRMWARE], [name, json.dumps(arguments)])
        environment["CLIENT_LAB"] = json.dumps(options)
        process = await asyncio.create_subprocess_exec(
            *argv, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        return cls(process)

    async def until_said(self, *values):
        """Wait until the story has printed exactly this."""
        await self._until(lambda: list(values) in self.said, f"it never said {list(values)}")

    async def until_logged(self, event):
        """Wait until the client has logged this event, and return the first detail."""
        await self._until(lambda: [row for row in self.logged if row[0] == event], f"it never logged {event}")
        return next(row[1] for row in self.logged if row[0] == event)

    async def end(self):
        """Wait for the end of the story and return its output."""
        await asyncio.wait_for(self._follower, PATIENCE_S)
        assert await self._process.wait() == 0, self.trouble
        assert not self.trouble
        return self.said

    async def stop(self):
        """End the process, if it still runs."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await asyncio.wait_for(self._follower, PATIENCE_S)

    async def _until(self, is_so, what):
        async with self._news:
            try:
                await asyncio.wait_for(self._news.wait_for(lambda: is_so() or self.trouble), PATIENCE_S)
            except TimeoutError:
                raise AssertionError(f"{what}; said {self.said}, logged {self.logged}") from None
        assert not self.trouble

    async def _follow(self):
        while line := (await self._process.stdout.readline()).decode():
            async with self._news:
                self._take(line)
                self._news.notify_all()

    def _take(self, line):
        if not line.startswith('["'):
            self.trouble.append(line.rstrip())
            return
        kind, *values = json.loads(line)
        (self.said if kind == "say" else self.logged).append(values)
