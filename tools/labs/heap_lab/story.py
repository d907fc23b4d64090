"""The story that a heap must have room for: both transfers, a permission flipped, the bridge away and back.

Does not measure. It plays on the PBX simulator, key by key. It fails, naming the step, when the terminal misses one or
reports anywhere that it is short of memory.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from desk_lab.installation import Installation, make_lab, make_virtual_phone
from virtual_phone.build import Build
from virtual_phone.client import PhoneError

_DEADLINE_S = 60
_ATTEMPTS = 3
_HEARD_S = 5
_SHORT = ("MemoryError", "memory is too short")


class StoryFailed(Exception):
    """The terminal missed a step; the sentence names it."""


@asynccontextmanager
async def installed(heap_kib: int, is_frozen: bool, watched: str = "") -> AsyncIterator[Installation]:
    """Run an installation whose phone has a 32-bit chip with that heap; StoryFailed when it does not get ready.

    `watched`: how the chip reports its heap, as PHONETERM_LIVE of `live_bytes.py`.
    """
    build = Build(heap_kib=heap_kib, bits=32, is_frozen=is_frozen, environment={"PHONETERM_LIVE": watched})
    phone = partial(make_virtual_phone, build=build)
    with tempfile.TemporaryDirectory(prefix="phoneterm-heap-") as folder:
        installation = Installation(make_lab("simulator"), Path(folder), make_phone=phone)
        try:
            await installation.start()
        except PhoneError as error:
            raise StoryFailed(f"not ready: {error}") from None
        try:
            yield installation
        finally:
            await installation.stop()


async def place_call(installation: Installation) -> None:
    """Make a call and wait until the terminal shows it, ready for a transfer."""
    await installation.place_call()
    await installation.keypad.wait_for_signal("ready")


async def play(installation: Installation) -> None:
    """Play the whole story; StoryFailed names the missing step."""
    try:
        async with asyncio.timeout(_DEADLINE_S):
            await _play(installation)
    except (PhoneError, TimeoutError) as error:
        shortage = find_shortage(installation.phone.log_lines)
        raise StoryFailed(shortage or str(error) or f"not done in {_DEADLINE_S} s") from None
    shortage = find_shortage(installation.phone.log_lines)
    if shortage:
        raise StoryFailed(shortage)


def find_shortage(log_lines: Iterable[str]) -> str | None:
    """Return the first line in which a terminal reports that it is short of memory, or None."""
    return next((line for line in log_lines if any(word in line for word in _SHORT)), None)


async def _play(installation: Installation) -> None:
    keypad = installation.keypad
    for keys, signal in (("#1102", "done"), ("*2102", "consulting")):
        await place_call(installation)
        await _key(installation, keys, signal)
        await installation.lab.clear()
    await place_call(installation)
    await installation.set_permission(False)
    await _key(installation, "#1102", "refused-permission")
    await installation.set_permission(True)
    await installation.stop_bridge()
    await keypad.wait_for_signal("no-link")
    await installation.restart_bridge()
    await keypad.wait_for_signal("ready", _DEADLINE_S)
    await installation.lab.clear()


async def _key(installation: Installation, keys: str, signal: str) -> None:
    """Press keys until the signal comes; if a busy computer stalls the phone, it asks for the number again."""
    for attempt in range(_ATTEMPTS):
        await installation.keypad.type(keys)
        try:
            await installation.keypad.wait_for_signal(signal, _HEARD_S)
            return
        except PhoneError:
            if attempt == _ATTEMPTS - 1 or find_shortage(installation.phone.log_lines):
                raise
