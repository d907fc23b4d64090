"""Measures the firmware on an emulated chip: its memory, and the keys it hears; without TLS and with it.

Does not print or judge; `cli.py` prints. The board's files are unchanged, except for the lines that report keys and
signals to the lab; each report takes a millisecond of the chip's time.
"""

import asyncio
import statistics
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from phoneterm_bridge.broker.terminal_settings import device_settings
from virtual_phone.client import PhoneClient, PhoneError

from chip_lab import tls
from chip_lab.installation import ChipInstallation
from chip_lab.memory import Memory, read_memory
from chip_lab.phone import PRINTS_SIGNALS, ChipPhone
from chip_lab.taps import PRINTS_KEYS, Digits, Taps, place_call

SHORTEST_MS = 25
HOLDS_MS = (80, 40, SHORTEST_MS)
_NO_LIMIT = ("policy.commands_per_minute=0",)
_START_S = 90.0
_TLS_S = 60.0


async def check_tls() -> AsyncIterator[str]:
    """Yield nothing; fail for whatever the measurement with TLS would lack, before the others take their minutes."""
    tls.check_time_port()
    with tempfile.TemporaryDirectory(prefix="phoneterm-bench-") as folder:
        tls.make_options(Path(folder))
    return
    yield


async def measure_start() -> AsyncIterator[str]:
    """Yield the memory of a chip that runs nothing."""
    phone = ChipPhone({}, has_firmware=False)
    await phone.start()
    try:
        await _wait_for(phone, 'Type "help()"', _START_S)
        yield f"at the start, nothing loaded: {_describe(await read_memory(phone))}"
    finally:
        await phone.stop()


async def measure_plain(taps: int) -> AsyncIterator[str]:
    """Yield the memory left by the firmware without TLS, and how many of that many taps of each length it hears."""
    with tempfile.TemporaryDirectory(prefix="phoneterm-bench-") as folder:
        installation = ChipInstallation(Path(folder), end_of_board=PRINTS_SIGNALS + PRINTS_KEYS)
        installation.more_settings = _NO_LIMIT
        await installation.start()
        try:
            await place_call(installation)
            digits, counter = Digits(installation), Taps(installation)
            for hold_ms in HOLDS_MS if taps else ():
                seen_ms, blips_ms = await digits.run(taps, hold_ms)
                yield _describe_taps(taps, hold_ms, seen_ms, "key")
                yield _describe_taps(taps, hold_ms, blips_ms, "blip")
            await counter.begin()
            for hold_ms in HOLDS_MS if taps else ():
                yield _describe_taps(taps, hold_ms, await counter.run(taps, hold_ms), "MQTT message")
            if taps:
                delays_ms = await counter.run(taps, SHORTEST_MS, bounces=True)
                yield _describe_taps(taps, SHORTEST_MS, delays_ms, "MQTT message, with a contact that bounces")
            yield f"without TLS, ready and used: {_describe(await read_memory(installation.phone))}"
        finally:
            await installation.stop()


async def measure_tls() -> AsyncIterator[str]:
    """Yield how far a chip comes with TLS, with copied files."""
    with tempfile.TemporaryDirectory(prefix="phoneterm-bench-") as name:
        folder = Path(name)
        of_bridge, of_terminal, files = tls.make_options(folder)
        installation = _TlsInstallation(folder, of_terminal, files)
        installation.more_settings = of_bridge
        time_server = await tls.TimeServer.start()
        try:
            await installation.start()
            phone = installation.phone
            told = [line for line in phone.log_lines if line.startswith(("link-", "wifi-", "clock-"))]
            state = "ready" if phone.state()["signal"] == "ready" else f"not ready after {_TLS_S:g} s"
            yield f"with TLS: {state}; it says {'; '.join(told[-4:]) or 'nothing'}"
            yield f"with TLS, then: {_describe(await read_memory(phone))}"
        except PhoneError as problem:
            yield f"with TLS: {problem}"
        finally:
            await installation.stop()
            time_server.close()


class _TlsInstallation(ChipInstallation):
    """An installation whose terminal speaks TLS directly to the broker, and need not become ready."""

    def __init__(self, folder: Path, of_terminal: dict[str, str], files: dict[str, bytes]) -> None:
        super().__init__(folder, files=files)
        self._of_terminal = of_terminal

    async def _port_for_phone(self) -> int:
        return self.bridge.broker_port

    async def _start_phone(self) -> None:
        broker = self.settings.broker.model_copy(update={"port": self.bridge.broker_port})
        self.phone = self._make_chip(device_settings(self.enrolment, broker) | self._of_terminal, 0)
        await self.phone.start()
        self._parts.push_async_callback(self.phone.stop)
        self.keypad = await PhoneClient.connect("127.0.0.1", self.phone.control_port)
        self._parts.push_async_callback(self.keypad.close)
        try:
            await self.keypad.wait_for_signal("ready", _TLS_S)
            await asyncio.sleep(_TLS_S / 4)
        except PhoneError:
            return


async def _wait_for(phone: ChipPhone, text: str, patience_s: float) -> None:
    try:
        async with asyncio.timeout(patience_s):
            while not any(text in line for line in phone.log_lines):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise PhoneError(f"the chip did not say {text!r} within {patience_s:g} s") from None


def _describe(memory: Memory) -> str:
    return (
        f"heap {memory.live:,} B live, {memory.used:,} B used of {memory.heap:,} B; the IDF has {memory.idf_free:,} B, "
        f"{memory.idf_largest:,} B in one piece, {memory.idf_least:,} B at the least"
    )


def _describe_taps(count: int, hold_ms: int, delays_ms: list[float], what: str) -> str:
    if not delays_ms:
        return f"taps of {hold_ms} ms: none of {count} heard"
    ordered = sorted(delays_ms)
    p99_ms = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    return (
        f"taps of {hold_ms} ms: {len(ordered)} of {count} heard; contact to {what}, in ms: "
        f"mean {statistics.fmean(ordered):.1f}, median {statistics.median(ordered):.1f}, "
        f"99 % within {p99_ms:.1f}, most {ordered[-1]:.1f}"
    )
