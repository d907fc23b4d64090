"""Unusual starts of an emulated ESP32: with the file `safe`, and after a crash; and a short version of a day's work."""

import asyncio
from pathlib import Path

import pytest
from chip_lab.installation import ChipInstallation
from chip_lab.soak import soak
from desk_lab.installation import CALLER, EXTENSION, TID
from phoneterm.core import messages
from virtual_phone.client import PhoneError

from chip.conftest import BACK_S, is_line

pytestmark = pytest.mark.timeout(600)
SOAK_S = 20
HANGS_AT_A_KEY = Path(__file__).parent / "vm_modules" / "hangs_at_a_key.py"


@pytest.fixture
async def install(need_chip, tmp_path):
    """Return a function that starts an installation whose phone begins with a signal."""
    installations = []

    async def start(first_signal, **phone_options):
        installation = ChipInstallation(tmp_path, **phone_options)
        installation.first_signal = first_signal
        installations.append(installation)
        await installation.start()
        return installation

    yield start
    for installation in installations:
        await installation.stop()


async def test_a_file_named_safe_leads_to_safe_mode_and_the_bridge_knows_why(install):
    house = await install("safe-mode", files={"safe": b""})
    if "safe mode: connected" not in await house.keypad.log():
        await house.keypad.wait_for_event(is_line("safe mode: connected"), BACK_S)
    assert "safe mode: file safe found" in await house.keypad.log()
    async with asyncio.timeout(BACK_S):
        while house.bridge.parts.updates.crash_reports.boot_in_safe_mode(TID) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def hang(keypad):
    """Press the key at which the terminal hangs; again if it asks for that, as it may soon after its start."""
    for _ in range(4):
        asked = asyncio.create_task(keypad.wait_for_event(lambda event: event.get("name") == "refused-number", 5))
        await asyncio.sleep(0)  # lets the task begin to listen
        await keypad.type("#")
        try:
            await asked
        except PhoneError:
            return  # the terminal is silent now
        await keypad.wait_for_signal("ready")
    raise AssertionError("the terminal has heard no key")


async def test_a_terminal_that_hangs_is_restarted_by_its_watchdog_and_reports_the_crash(install):
    house = await install("ready", end_of_board=b"\n\n" + HANGS_AT_A_KEY.read_bytes(), keeps_power=True)
    hellos = []
    told = asyncio.Event()

    def hear(_, topic, document):
        if topic.endswith(messages.HELLO):
            hellos.append(document)
            told.set()

    house.watch(hear)
    talking = asyncio.create_task(house.keypad.wait_for_event(is_line("call talking"), BACK_S))
    await asyncio.sleep(0)  # lets the task begin to listen
    await house.lab.place_call(CALLER, EXTENSION)
    await talking
    await hang(house.keypad)
    await asyncio.wait_for(told.wait(), 2 * BACK_S)
    lines = list(house.phone.log_lines)
    print(*lines, sep="\n")  # shown when the test fails
    bite = next(number for number, line in enumerate(lines) if "Task watchdog got triggered" in line)
    has_panicked = any("Cache error" in line for line in lines[bite:])  # at a start; a fault of the emulator
    assert hellos[0]["crash"].startswith("panic" if has_panicked else "watchdog")
    assert house.phone.state()["boots"] == 2 + house.phone.false_starts


async def test_calls_are_transferred_one_after_the_other_and_the_terminal_does_not_restart(need_chip):
    told = [line async for line in soak(SOAK_S)]
    assert told[-1].endswith("the terminal has not restarted.")
