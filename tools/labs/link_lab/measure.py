"""Runs one MQTT client on the MicroPython VM and takes its times: publish, reconnection, silence.

Does not judge them. Times are ms; `half_open_ms` is None when the silence was not noticed within MOST_DEAF_S.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from phoneterm.core import messages
from virtual_phone import vm

from link_lab.mosquitto import Mosquitto
from link_lab.wire_tap import WireTap

TID = "bench-1"
PASSWORD = "bench-password"  # noqa: S105 - of a broker that lives as long as the bench
MOST_DEAF_S = 25.0
_CUTS = 5
_MOST_CUT_S = 10.0
_PATIENCE_S = 30.0
_SCRIPTS = Path(__file__).parent / "vm"


class ClientFailed(Exception):
    """The client did not finish its steps; the sentence says where it stopped and its last words."""


@dataclass(frozen=True)
class Figures:
    """The figures of one client."""

    name: str
    publish_ms: float
    reconnect_ms: float | None
    half_open_ms: float | None
    idle_bytes_per_s: int


async def measure(name: str, script: str, path: list[Path], broker: Mosquitto, count: int) -> Figures:
    """Measure one client; `path` is where its modules are, `count` how often it publishes."""
    tap = WireTap(broker.port)
    await tap.start()
    topic = messages.topic_of("phoneterm", TID, messages.TELEMETRY)
    wanted, _ = messages.topic_filters("phoneterm", TID)
    arguments = [str(broker.port), str(tap.port), TID, PASSWORD, topic, wanted, str(count)]
    argv, environment = vm.command(_SCRIPTS / script, 400, path, arguments)
    process = await asyncio.create_subprocess_exec(
        *argv, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        said = await asyncio.wait_for(_listen(name, process), _PATIENCE_S)
        reconnect_ms = await _cut(tap)
        half_open_ms = await _deafen(tap) if reconnect_ms is not None else None
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await tap.stop()
    return Figures(name, median(said["publish_us"]) / 1000, reconnect_ms, half_open_ms, said["idle_bytes_per_s"][0])


async def _listen(name: str, process: asyncio.subprocess.Process) -> dict[str, list[int]]:
    """Return the numbers that the client prints before it is ready."""
    assert process.stdout is not None
    said: dict[str, list[int]] = {}
    last = "nothing"
    while line := (await process.stdout.readline()).decode(errors="replace").strip():
        what, _, number = line.partition(" ")
        if what == "ready":
            return said
        if number.lstrip("-").isdigit():
            said.setdefault(what, []).append(int(number))
        last = line
    raise ClientFailed(f"{name} stopped before it was ready and last said: {last}")


async def _cut(tap: WireTap) -> float | None:
    """Cut the connection some times; return the median time until it is subscribed again."""
    times_ms = []
    for cuts in range(1, _CUTS + 1):
        started_s = asyncio.get_running_loop().time()
        tap.cut()
        if not await _until(tap.subscribed_s, cuts + 1, _MOST_CUT_S):
            return None
        times_ms.append((tap.subscribed_s[-1] - started_s) * 1000)
        await asyncio.sleep(5.5)  # after a connection that lasted, the client's back-off starts over
    return median(times_ms)


async def _deafen(tap: WireTap) -> float | None:
    """Make the connection half-open; return how long the client takes to try another one."""
    started_s = asyncio.get_running_loop().time()
    tap.go_deaf()
    if not await _until(tap.connected_s, len(tap.connected_s) + 1, MOST_DEAF_S):
        return None
    return (tap.connected_s[-1] - started_s) * 1000


async def _until(times_s: list[float], count: int, patience_s: float) -> bool:
    """Wait until something has happened `count` times; return whether it has."""
    deadline_s = asyncio.get_running_loop().time() + patience_s
    while len(times_s) < count:
        if asyncio.get_running_loop().time() > deadline_s:
            return False
        await asyncio.sleep(0.001)
    return True
