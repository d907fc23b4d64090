"""A scene on a real broker with two terminals: phone-101 may transfer, phone-102 (in evil hands) may not.

Does not attack. The broker is the embedded one, or a mosquitto with exactly what `phoneterm broker config` writes.
"""

from pathlib import Path
from typing import Any, Self

from lab_parts.parts import Part
from phoneterm_bridge.settings.http import HttpSettings

from attack_lab.scenery.production_mosquitto import ProductionMosquitto
from attack_lab.scenery.scene import Scene

MINE, OTHER = "phone-101", "phone-102"


class Crowd(Scene):
    """Takes mosquitto, or None for the embedded broker; `other` has the secrets of phone-102."""

    def __init__(self, folder: Path, part: Part | None, has_pages: bool = False, **options: Any) -> None:
        self.mosquitto = ProductionMosquitto(part) if part is not None else None
        broker = self.mosquitto.settings if self.mosquitto else None
        super().__init__(folder, is_embedded=broker is None, broker=broker, **options)
        if has_pages:
            self.settings = self.settings.model_copy(update={"http": HttpSettings(enabled=True, port=0)})
        self.directory.add_user("tech2")
        self.directory.add_extension("102", "tech2")
        self.other = self.directory.add_terminal(OTHER, "102")
        self._is_broker_there = False

    async def start(self) -> Self:
        """Start the bridge, also again after `stop_bridge`, and before it a mosquitto."""
        try:
            if self.mosquitto is not None and not self._is_broker_there:
                self.mosquitto.write_config(self.settings.store.path)
                await self.mosquitto.start()
            self._is_broker_there = True
            return await super().start()
        except BaseException:
            await self._remove_mosquitto()
            raise

    async def stop_bridge(self) -> None:
        """Stop the bridge alone; a mosquitto goes on, and keeps what it is sent."""
        await self.bridge.stop()

    async def take_over_changes(self) -> None:
        """Let the broker know what has changed in the store: a mosquitto by its files and a reload."""
        if self.mosquitto is not None:
            self.mosquitto.write_config(self.settings.store.path)
            self.mosquitto.reload()
        await self.bridge.refresh()

    async def stop(self) -> None:
        """Stop everything."""
        try:
            await super().stop()
        finally:
            await self._remove_mosquitto()

    async def _remove_mosquitto(self) -> None:
        if self.mosquitto is not None:
            await self.mosquitto.remove()
