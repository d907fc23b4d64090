"""Measures how long the whole firmware takes from its first SYN until its permissions are in force, on a mosquitto.

Does not count the start of the interpreter, the loading of the firmware, or joining the Wi-Fi. The phone is switched on
anew for every run, and what it may do waits at the broker, as at every start after the first. Times are ms.
"""

import asyncio
import ssl
import tempfile
from pathlib import Path
from statistics import median

from lab_parts import parts
from virtual_phone.phone import VirtualPhone

from link_lab.certificates import Certificates, make_certificates
from link_lab.measure import PASSWORD, TID, ClientFailed
from link_lab.mosquitto import Mosquitto
from link_lab.small_bridge import SmallBridge
from link_lab.wire_tap import WireTap

_NAME = "localhost"
_BRIDGE = "bench-bridge"
_KEY = bytes(16)
_PATIENCE_S = 20.0
_IN_FORCE = "permissions "  # begins the log line of permissions that have just changed


async def measure_first_connect(is_tls: bool, runs: int) -> float:
    """Return the median time of some runs, with or without TLS."""
    with tempfile.TemporaryDirectory() as folder:
        certificates = make_certificates(Path(folder), _NAME) if is_tls else None
        broker = Mosquitto(
            parts.find("mosquitto"),
            {TID: PASSWORD, _BRIDGE: PASSWORD},
            files=certificates.files if certificates else None,
        )
        await broker.start()
        bridge = SmallBridge(TID, _KEY)
        try:
            await bridge.start(broker.port, _BRIDGE, PASSWORD, _trust(Path(folder)) if is_tls else None)
            bridge.grant()
            return median([await _run_once(broker.port, certificates) for _ in range(runs)])
        finally:
            await bridge.stop()
            await broker.remove()


def _trust(folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    context.check_hostname = False  # the bench's own bridge says 127.0.0.1
    return context


async def _run_once(broker_port: int, certificates: Certificates | None) -> float:
    tap = WireTap(broker_port)
    await tap.start()
    settings = {
        "wifi_ssid": "lab", "mqtt_host": "127.0.0.1", "mqtt_port": str(tap.port), "mqtt_password": PASSWORD,
        "mac_key": _KEY.hex(), "tid": TID,
    }  # fmt: skip
    if certificates is not None:
        settings |= {"tls": "ca", "tls_ca_path": str(certificates.ca_path), "tls_host": _NAME}
    phone = VirtualPhone(settings)
    try:
        await phone.start()
        return await asyncio.wait_for(_read_time(phone, tap), _PATIENCE_S)
    except TimeoutError:
        raise ClientFailed(f"The firmware said nothing of its permissions, but: {list(phone.log_lines)}") from None
    finally:
        await phone.stop()
        await tap.stop()


async def _read_time(phone: VirtualPhone, tap: WireTap) -> float:
    while True:
        if any(line.startswith(_IN_FORCE) for line in tuple(phone.log_lines)):
            return (asyncio.get_running_loop().time() - tap.connected_s[0]) * 1000
        await asyncio.sleep(0.001)
