"""Measures the firmware's MQTT client and its peers, on the same VM, broker and machine, in one run.

Does not print; `cli.py` does. The firmware as a whole is measured on a virtual phone.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from board_check.project_files import FIRMWARE
from firmware_build import sizes
from firmware_build.image import NOT_ON_DEVICE
from lab_parts import parts
from virtual_phone.build import Build
from virtual_phone.phone import VirtualPhone

from link_lab import peers
from link_lab.first_connect import PLAIN, PSK, TLS
from link_lab.measure import PASSWORD, TID, ClientFailed, Figures, measure
from link_lab.mosquitto import Mosquitto
from link_lab.small_bridge import SmallBridge

OURS = "phoneterm"
MOST_PUBLISH_MS = 2.0
MOST_RECONNECT_MS = 100.0
MOST_HALF_OPEN_MS = 8000.0
MOST_IDLE_BYTES_PER_S = 1024
MOST_FIRST_CONNECT_MS = {PLAIN: 150.0, TLS: 400.0, PSK: 400.0}
MOST_CLIENT_BYTES = 8192
CLIENT_MODULES = ("mqtt", "mqtt_connection", "mqtt_decoder", "mqtt_packets")
_GARBAGE_SCRIPT = Path(__file__).parent / "vm" / "firmware_garbage.py"
_PATIENCE_S = 40.0
_BRIDGE = "bench-bridge"
_KEY = bytes(16)


async def compare(publishes: int) -> AsyncIterator[Figures | str]:
    """Yield the figures of each client, ours first, or a sentence about one that could not be measured."""
    broker = Mosquitto(parts.find("mosquitto"), {TID: PASSWORD})
    await broker.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield await measure(OURS, "phoneterm_client.py", [FIRMWARE], broker, publishes)
            for name, script, fetch in (
                ("chumicro-mqtt", "chumicro_client.py", peers.fetch_chumicro),
                ("umqtt.simple", "umqtt_client.py", peers.fetch_umqtt),
            ):
                path = await asyncio.to_thread(fetch, Path(folder) / name)
                if path is None:
                    yield f"{name} cannot be had on this machine."
                    continue
                try:
                    yield await measure(name, script, [path], broker, publishes)
                except (ClientFailed, TimeoutError) as failure:
                    yield str(failure) or f"{name} did not get ready in time."
    finally:
        await broker.remove()


async def measure_whole_firmware() -> int:
    """Return the bytes per second that the whole firmware allocates while connected and idle."""
    broker = Mosquitto(parts.find("mosquitto"), {TID: PASSWORD, _BRIDGE: PASSWORD})
    await broker.start()
    bridge = SmallBridge(TID, _KEY)
    await bridge.start(broker.port, _BRIDGE, PASSWORD)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(FIRMWARE / "phoneterm", folder / "phoneterm")
        shutil.copy(FIRMWARE / "boot.py", folder / "boot.py")
        shutil.copy(FIRMWARE / "main.py", folder / "terminal_main.py")
        shutil.copy(_GARBAGE_SCRIPT, folder / "main.py")
        settings = {
            "wifi_ssid": "lab", "mqtt_host": "127.0.0.1", "mqtt_port": str(broker.port), "mqtt_password": PASSWORD,
            "mac_key": _KEY.hex(), "tid": TID,
        }  # fmt: skip
        phone = VirtualPhone(settings, build=Build(folder, heap_kib=2048))
        try:
            await phone.start()
            return await asyncio.wait_for(_read_garbage(phone), _PATIENCE_S)
        except TimeoutError:
            raise ClientFailed(f"The firmware said nothing of its garbage, but: {list(phone.log_lines)}") from None
        finally:
            await phone.stop()
            await bridge.stop()
            await broker.remove()


async def _read_garbage(phone: VirtualPhone) -> int:
    while True:
        for line in tuple(phone.log_lines):
            what, _, number = line.partition(" ")
            if what == "idle_bytes_per_s":
                return int(number)
        await asyncio.sleep(0.1)


def measure_client_size() -> int:
    """Return the bytes of the compiled modules of the firmware's client."""
    with tempfile.TemporaryDirectory() as folder:
        modules = sizes.compile_all(FIRMWARE, Path(folder), NOT_ON_DEVICE)
    wanted = {f"phoneterm/device/{name}.py" for name in CLIENT_MODULES}
    return sum(module.mpy_bytes for module in modules if module.path in wanted)


def failures(ours: Figures, garbage_bytes_per_s: int, first_ms: dict[str, float], client_bytes: int) -> list[str]:
    """Return a sentence for every limit that is missed."""
    rows = [
        ("publish to acknowledgement", ours.publish_ms, MOST_PUBLISH_MS, "ms"),
        ("reconnection after a cut", ours.reconnect_ms, MOST_RECONNECT_MS, "ms"),
        ("a half-open connection noticed", ours.half_open_ms, MOST_HALF_OPEN_MS, "ms"),
        ("idle garbage of the whole firmware", garbage_bytes_per_s, MOST_IDLE_BYTES_PER_S, "bytes/s"),
        ("the client, compiled", client_bytes, MOST_CLIENT_BYTES, "bytes"),
    ]
    rows += [(f"first connect to permissions {how}", ms, MOST_FIRST_CONNECT_MS[how], "ms")
             for how, ms in first_ms.items()]  # fmt: skip
    return [
        f"{what}: {'never' if value is None else f'{value:.1f} {unit}'} is more than {most:g} {unit}."
        for what, value, most, unit in rows
        if value is None or value > most
    ]
