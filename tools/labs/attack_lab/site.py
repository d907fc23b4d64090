"""The place of one attack: its broker, a folder of its own, and whatever it has started. Attacks nothing.

Everything that a probe takes from here ends with it, also when the probe is interrupted.
"""

import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lab_parts.parts import Part

from attack_lab.scenery.crowd import Crowd
from attack_lab.watched_log import WatchedLog

EMBEDDED, MOSQUITTO, NEITHER = "embedded", "mosquitto", "-"
BROKERS = (EMBEDDED, MOSQUITTO)


class Site:
    """One site, an async context. is_short: a probe tries a few of its cases only; log: what the bridge has logged."""

    def __init__(self, broker: str, part: Part | None = None, is_short: bool = False) -> None:
        """Take the mosquitto of this machine, if the broker is one."""
        self.broker = broker
        self.part = part if broker == MOSQUITTO else None
        self.is_short = is_short
        self.stack = AsyncExitStack()
        self.log = WatchedLog()
        self._count = 0

    async def __aenter__(self) -> Self:
        """Make the folder."""
        name = self.stack.enter_context(tempfile.TemporaryDirectory(prefix="phoneterm-attack-"))
        self._folder = Path(name)
        self.stack.enter_context(self.log)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End whatever was started."""
        await self.stack.aclose()

    def new_folder(self) -> Path:
        """Return an empty folder."""
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir()
        return folder

    async def open(self, **options: Any) -> Crowd:
        """Return a running bridge on this site's broker, with two terminals; see Crowd and Scene for the options."""
        crowd = await Crowd(self.new_folder() / "state", self.part, **options).start()
        self.stack.push_async_callback(crowd.stop)
        return crowd
