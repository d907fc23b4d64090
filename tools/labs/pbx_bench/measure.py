"""Measures how long a transfer takes to put the caller on hold and dial the colleague, on a real Asterisk.

Does not print. Times are milliseconds between sending the first action and the arrival of the PBX's own events on
another connection; a run starts with an answered call and ends with no calls.
"""

import asyncio
import statistics
import time
from dataclasses import dataclass

from pbx_lab.asterisk_lab import AsteriskLab
from pbx_lab.lab import LabOptions
from phoneterm_bridge.pbx.ami.client import AmiClient
from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.ami.settings import AmiSettings
from phoneterm_bridge.pbx.asterisk.adapter import AsteriskPbx
from phoneterm_bridge.pbx.asterisk.speed import StartSpeed, speed_of

from pbx_bench.ways import CALLER, COLLEAGUE, USER, Desk, Way

EVENT_S = 5.0
SETTLED_S = 0.3  # a pause after the answer, as a person would make


@dataclass(frozen=True)
class Figures:
    """Medians in ms."""

    way: Way
    min_dtmf_ms: int
    hold_ms: float
    dialled_ms: float


@dataclass(frozen=True)
class Found:
    """The figures for one configuration, and what the bridge found there at connect."""

    figures: list[Figures]
    speed: StartSpeed


class StopWatch:
    """An AMI login that notes when the caller is put on hold and when the colleague is dialled."""

    def __init__(self, settings: AmiSettings) -> None:
        """Nothing is connected yet."""
        self.client = AmiClient(settings, self)
        self._at: dict[str, float] = {}
        self._is_done = asyncio.Event()

    async def on_connected(self) -> None:
        """Nothing to do."""

    def on_disconnected(self) -> None:
        """Nothing to do: waits run into their deadline."""

    def on_event(self, event: Message) -> None:
        """Note the two moments, the first time they come."""
        name, now = event.get("Event"), time.perf_counter()
        if name == "Hold" and event.get("Channel").startswith(f"PJSIP/{USER}-"):
            self._at.setdefault("hold", now)
        elif name == "DialBegin" and event.get("DestChannel").startswith(f"PJSIP/{COLLEAGUE}-"):
            self._at.setdefault("dialled", now)
        if len(self._at) == 2:
            self._is_done.set()

    async def time(self, way: Way, desk: Desk) -> tuple[float, float]:
        """Start one transfer and return (hold, dialled) in ms; TimeoutError when it does not begin."""
        self._at.clear()
        self._is_done.clear()
        begun = time.perf_counter()
        async with asyncio.timeout(EVENT_S):
            await asyncio.gather(way.start(desk), self._is_done.wait())
        return (self._at["hold"] - begun) * 1000, (self._at["dialled"] - begun) * 1000


async def measure(ways: list[Way], min_dtmf_ms: int, transfers: int) -> Found:
    """Measure ways with the same feature codes, on one Asterisk, in turn."""
    lab = AsteriskLab(LabOptions(codes=ways[0].codes, min_dtmf_ms=min_dtmf_ms))
    await lab.start()
    watch, pbx = StopWatch(lab.ami), AsteriskPbx(lab.ami)
    times: dict[str, list[tuple[float, float]]] = {way.name: [] for way in ways}
    try:
        await watch.client.start()
        await pbx.start()
        for _ in range(transfers):
            for way in ways:
                times[way.name].append(await _time_one(lab, watch, pbx, way))
    finally:
        await pbx.stop()
        await watch.client.stop()
        await lab.stop()
    return Found([_medians(way, min_dtmf_ms, times[way.name]) for way in ways], speed_of(pbx.features))


async def _time_one(lab: AsteriskLab, watch: StopWatch, pbx: AsteriskPbx, way: Way) -> tuple[float, float]:
    await lab.place_call(CALLER, USER)
    await asyncio.sleep(SETTLED_S)
    channel = next(leg.channel for leg in await lab.legs() if leg.endpoint == USER)
    try:
        return await watch.time(way, Desk(watch.client, channel, pbx))
    finally:
        await lab.clear()


def _medians(way: Way, min_dtmf_ms: int, times: list[tuple[float, float]]) -> Figures:
    hold_ms, dialled_ms = (statistics.median(column) for column in zip(*times, strict=True))
    return Figures(way, min_dtmf_ms, hold_ms, dialled_ms)
