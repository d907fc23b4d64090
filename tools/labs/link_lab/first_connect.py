"""Measures how long the whole firmware takes from its first SYN until its permissions are in force, on a mosquitto.

Does not count the start of the interpreter, the loading of the firmware, or joining the Wi-Fi. The phone is restarted
for every run, and its permissions wait at the broker, as at every start after the first. Times are ms.
"""

import asyncio
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from lab_parts import parts
from lab_parts.free_port import free_port
from virtual_phone.phone import VirtualPhone

from link_lab.certificates import make_certificates
from link_lab.measure import PASSWORD, TID, ClientFailed
from link_lab.mosquitto import Mosquitto
from link_lab.small_bridge import SmallBridge
from link_lab.wire_tap import WireTap

_NAME = "localhost"
_BRIDGE = "bench-bridge"
_KEY = bytes(16)
_PSK = "5a" * 32
_PATIENCE_S = 20.0
_IN_FORCE = "permissions "  # begins the log line of permissions that have just changed


PLAIN, TLS, PSK = "without TLS", "with TLS", "with TLS-PSK"


async def measure_first_connect(how: str, runs: int) -> float:
    """Return the median time of some runs, with the kind of connection PLAIN, TLS (a certificate) or PSK."""
    with tempfile.TemporaryDirectory() as folder:
        setup = _make_setup(how, Path(folder))
        users = {TID: PASSWORD, _BRIDGE: PASSWORD}
        broker = Mosquitto(parts.find("mosquitto"), users, "", setup.files, setup.options)
        await broker.start()
        bridge = SmallBridge(TID, _KEY)
        try:
            await bridge.start(broker.port, _BRIDGE, PASSWORD, setup.trust)
            bridge.grant()
            port = setup.psk_port or broker.port
            return median([await _run_once(port, setup.settings) for _ in range(runs)])
        finally:
            await bridge.stop()
            await broker.remove()


@dataclass(frozen=True)
class _Setup:
    """What mosquitto, terminal and bridge need for one kind of connection."""

    files: dict[str, bytes] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    trust: ssl.SSLContext | None = None
    psk_port: int = 0


def _make_setup(how: str, folder: Path) -> _Setup:
    if how == PLAIN:
        return _Setup()
    if how == PSK:
        port = free_port()
        options = (f"listener {port} 127.0.0.1", "psk_hint phoneterm", "tls_version tlsv1.2")
        settings = {"tls": "psk", "tls_psk": _PSK, "tls_host": _NAME}
        return _Setup({"psk_file": f"{TID}:{_PSK}\n".encode()}, options, settings, None, port)
    certificates = make_certificates(folder, _NAME)
    trust = ssl.create_default_context(cafile=folder / "ca.pem")
    trust.check_hostname = False  # the bench's own bridge says 127.0.0.1
    settings = {"tls": "ca", "tls_ca_path": str(certificates.ca_path), "tls_host": _NAME}
    return _Setup(certificates.files, (), settings, trust)


async def _run_once(broker_port: int, tls_settings: dict[str, str]) -> float:
    tap = WireTap(broker_port)
    await tap.start()
    settings = {
        "wifi_ssid": "lab", "mqtt_host": "127.0.0.1", "mqtt_port": str(tap.port), "mqtt_password": PASSWORD,
        "mac_key": _KEY.hex(), "tid": TID,
    }  # fmt: skip
    phone = VirtualPhone(settings | tls_settings)
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
