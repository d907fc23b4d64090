"""Talks with the emulator: a client of QMP, its machine protocol of one JSON object a line.

Does not know what a key is. `send` sends at once, so that a contact closes without delay; `ask` waits for the answer.
"""

import asyncio
import contextlib
import json
from typing import Any

from virtual_phone.client import PhoneError


class EmulatorRefused(PhoneError):
    """The emulator refused something, in its own words, or it is gone."""


class Qmp:
    """One connection; `open` greets the emulator."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._last_id = 0
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Read the greeting and enable commands; EmulatorRefused when that fails."""
        if not await self._reader.readline():
            raise EmulatorRefused("the emulator did not start")
        self._task = asyncio.create_task(self._hear())
        await self.ask("qmp_capabilities")

    def send(self, command: str, **arguments: Any) -> asyncio.Future[Any]:
        """Send a command at once; return a future with its answer."""
        self._last_id += 1
        answer = asyncio.get_running_loop().create_future()
        self._answers[self._last_id] = answer
        answer.add_done_callback(_take_notice)
        document = {"execute": command, "arguments": arguments, "id": self._last_id}
        if self._writer.is_closing():
            answer.set_exception(EmulatorRefused("the emulator is gone"))
        else:
            self._writer.write(json.dumps(document).encode() + b"\n")
        return answer

    async def ask(self, command: str, **arguments: Any) -> Any:
        """Send a command and return its answer."""
        return await self.send(command, **arguments)

    async def close(self) -> None:
        """Close the connection."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._writer.close()

    async def _hear(self) -> None:
        try:
            with contextlib.suppress(OSError, ValueError):
                while line := await self._reader.readline():
                    self._on_document(json.loads(line))
        finally:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(EmulatorRefused("the emulator is gone"))

    def _on_document(self, document: dict[str, Any]) -> None:
        answer = self._answers.pop(document.get("id", 0), None)
        if answer is None or answer.done():
            return
        if "error" in document:
            answer.set_exception(EmulatorRefused(str(document["error"].get("desc", "it did not say why"))))
        else:
            answer.set_result(document.get("return"))


def _take_notice(answer: asyncio.Future[Any]) -> None:
    """Retrieve an outcome that perhaps nobody waits for, so that asyncio does not complain about it."""
    if not answer.cancelled():
        answer.exception()
