"""A scene on a real broker with two terminals: phone-101 may transfer, phone-102 (in evil hands) may not.

Does not attack. The broker is the embedded one, or a mosquitto with exactly what `phoneterm broker config` writes.
"""

from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from lab_parts.parts import Part
from phoneterm_bridge.broker.site_tls import BROKER, BROKER_KEY, CA, SiteTls
from phoneterm_bridge.settings.bridge import BrokerSettings
from phoneterm_bridge.settings.http import HttpSettings
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.records import Enrolment

from attack_lab.scenery.production_mosquitto import ProductionMosquitto
from attack_lab.scenery.scene import TID, Scene

MINE, OTHER = TID, "phone-102"
NAME = "localhost"  # in the broker's certificate


class Crowd(Scene):
    """Takes mosquitto, or None for the embedded broker; `other` has the secrets of phone-102.

    has_tls: the broker has a certificate, as `phoneterm tls init` makes it. asks_clients: it asks for theirs, too.
    """

    def __init__(
        self, folder: Path, part: Part | None, has_pages: bool = False, has_tls: bool = False,
        asks_clients: bool = False, **options: Any,
    ) -> None:  # fmt: skip
        self.mosquitto = ProductionMosquitto(part) if part is not None else None
        broker = self.mosquitto.settings if self.mosquitto else BrokerSettings(port=0)
        if has_tls:
            files = _make_certificates(self.mosquitto.folder if self.mosquitto else folder, asks_clients)
            broker = broker.model_copy(update={**files, "host": NAME if self.mosquitto else broker.host})
        if self.mosquitto is not None:
            self.mosquitto.settings = broker
        super().__init__(folder, broker=broker, **options)
        if has_pages:
            self.settings = self.settings.model_copy(update={"http": HttpSettings(enabled=True, port=0)})
        self.other = self.enrolments[OTHER]
        self._is_broker_there = False

    @staticmethod
    def fill_store(engine: sa.Engine) -> dict[str, Enrolment]:
        """Add phone-102 of the user tech2 as well."""
        enrolments = Scene.fill_store(engine)
        directory = Directory(engine, "test")
        directory.add_user("tech2")
        directory.add_extension("102", "tech2")
        return enrolments | {OTHER: directory.add_terminal(OTHER, "102")}

    async def start(self) -> Self:
        """Start the bridge, also again after `stop_bridge`, and before it a mosquitto."""
        try:
            if self.mosquitto is not None and not self._is_broker_there:
                self._write_config(self.mosquitto)
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
            self._write_config(self.mosquitto)
            self.mosquitto.reload()
        await self.bridge.refresh()

    async def stop(self) -> None:
        """Stop everything."""
        try:
            await super().stop()
        finally:
            await self._remove_mosquitto()

    def _write_config(self, mosquitto: ProductionMosquitto) -> None:
        mosquitto.write_config(self.settings.store.path, "--listen=127.0.0.1")

    async def _remove_mosquitto(self) -> None:
        if self.mosquitto is not None:
            await self.mosquitto.remove()


def _make_certificates(folder: Path, asks_clients: bool) -> dict[str, Path]:
    """Make a site's CA and the certificate of its broker, and return the settings that name them."""
    folder.mkdir(parents=True, exist_ok=True)
    site = SiteTls(folder)
    site.make("an attack", [NAME], 1)
    files = {"ca_path": CA, "certificate_path": BROKER, "key_path": BROKER_KEY}
    if asks_clients:
        files["client_ca_path"] = CA
    return {setting: site.path(name) for setting, name in files.items()}
