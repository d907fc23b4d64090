"""Uses an emulated chip for a while: transfers call after call in every way, and checks the result of each.

Does not print; it yields a sentence now and then and raises SoakFailed when a transfer fails.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from desk_lab.installation import CALLER, EXTENSION
from fault_lab.faults import UP
from pbx_lab.legs import is_on_hold, is_talking
from pbx_lab.process import LabFailed
from phoneterm.core import messages
from virtual_phone.client import PhoneError

from chip_lab.installation import ChipInstallation

COLLEAGUE = "102"
_PATIENCE_S = 60
_PAUSE_S = 1  # within 0.7 s of a finished sequence the terminal takes further keys as the rest of that sequence


class SoakFailed(Exception):
    """What failed, in one sentence."""


async def soak(lasts_s: float) -> AsyncIterator[str]:
    """Transfer until the time is over; yield each report of the terminal, and at the end what was done."""
    with tempfile.TemporaryDirectory(prefix="phoneterm-soak-") as folder:
        installation = ChipInstallation(Path(folder))
        installation.more_settings = ("policy.commands_per_minute=0",)
        await installation.start()
        telemetry: list[dict[str, Any]] = []
        installation.watch(
            lambda way, topic, document: (
                telemetry.append(document) if way == UP and topic.endswith(messages.TELEMETRY) else None
            )
        )
        try:
            started_s, count, again, told = time.monotonic(), 0, 0, 0
            while time.monotonic() - started_s < lasts_s:
                again += await _transfer(installation, count)
                count += 1
                for document in telemetry[told:]:
                    yield f"{time.monotonic() - started_s:5.0f} s, {count} calls: {_describe(document)}"
                told = len(telemetry)
            boots = installation.phone.state()["boots"] - installation.phone.false_starts
            if boots != 1:
                raise SoakFailed(f"The terminal has started {boots} times; it said {_last_words(installation)}")
            lasted_s = time.monotonic() - started_s
            yield f"{count} calls in {lasted_s:.0f} s, {again} numbers keyed again; the terminal has not restarted."
        finally:
            await installation.stop()


async def _transfer(installation: ChipInstallation, number: int) -> int:
    """Place a call and transfer it in a way that depends on `number`; return how often it was keyed again."""
    lab, keypad = installation.lab, installation.keypad
    try:
        talking = asyncio.create_task(
            keypad.wait_for_event(lambda event: event.get("line") == "call talking", _PATIENCE_S)
        )
        await asyncio.sleep(0)  # lets the task begin to listen
        await lab.place_call(CALLER, EXTENSION)
        await talking
        await asyncio.sleep(_PAUSE_S)
        if number % 3 == 0:
            again = await installation.key_until("#1102", lambda legs: is_talking(legs, CALLER, COLLEAGUE))
        else:
            again = await installation.key_until(
                "*2102", lambda legs: is_on_hold(legs, CALLER) and is_talking(legs, EXTENSION, COLLEAGUE)
            )
            await keypad.wait_for_signal("consulting", _PATIENCE_S)
            await asyncio.sleep(_PAUSE_S)
            await keypad.type("A" if number % 3 == 1 else "C")
        partner = EXTENSION if number % 3 == 2 else COLLEAGUE
        await lab.wait_until(lambda legs: is_talking(legs, CALLER, partner))
    except (LabFailed, PhoneError, TimeoutError) as error:
        raise SoakFailed(f"Call {number + 1} was not moved ({error}); it said {_last_words(installation)}") from None
    idle = asyncio.create_task(keypad.wait_for_event(lambda event: event.get("line") == "call idle", _PATIENCE_S))
    await asyncio.sleep(0)
    is_here = partner == EXTENSION
    await lab.clear()
    if is_here:
        await idle
    else:
        idle.cancel()
    return again


def _last_words(installation: ChipInstallation) -> str:
    return "; ".join(list(installation.phone.log_lines)[-3:])


def _describe(document: dict[str, Any]) -> str:
    told = {name: value for name, value in document.items() if name.startswith(("heap", "idf", "gap", "restarts"))}
    return ", ".join(f"{name} {value}" for name, value in told.items())
