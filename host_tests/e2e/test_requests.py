"""An administrator's request, from the command line in its own process to the firmware on the virtual phone."""

import asyncio
import sys

import pytest
from desk_lab.installation import TID, Installation, make_lab

_CLI = "from phoneterm_bridge.cli import terminal_app; terminal_app()"
_NOT_SET_UP = "The setting wifi_ssid is missing: provision this terminal."


@pytest.fixture
async def house(tmp_path):
    """A whole installation with the simulator, for one test, because a wiped phone cannot be reused."""
    installation = Installation(make_lab("simulator"), tmp_path)
    await installation.start()
    yield installation
    await installation.stop()


@pytest.fixture
async def in_safe_mode(house, need_stock_modules):
    """The same with the phone in safe mode, after the bridge has noticed that."""
    await house.keypad.hold("C")
    known = asyncio.create_task(_expect(house, "signal", "name", "safe-mode"))
    await asyncio.sleep(0)  # lets the task begin to listen
    await house.keypad.power(False)
    await house.keypad.power(True)
    await known
    await house.keypad.release("C")
    await asyncio.wait_for(_hello_in_safe_mode(house), 30)
    return house


async def _hello_in_safe_mode(house):
    while house.bridge.parts.updates.crash_reports.boot_in_safe_mode(TID) is None:  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def _expect(house, kind, field, value, patience_s=30):
    """Wait for an event of the phone."""
    await house.keypad.wait_for_event(lambda event: event["event"] == kind and event.get(field) == value, patience_s)


async def _ask(house, *words):
    """Run `phoneterm terminal ...`; return its exit code and output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _CLI, *words, f"--set=store.path={house.settings.store.path}",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, output.decode()


async def _ask_and_see(house, words, *event):
    """Ask, and wait for an event of the phone meanwhile."""
    seen = asyncio.create_task(_expect(house, *event))
    await asyncio.sleep(0)  # lets the task begin to listen
    answer = await _ask(house, *words)
    await seen
    return answer


async def test_identify_makes_the_phone_show_itself(house):
    tone = asyncio.create_task(_expect(house, "tone", "hz", 1200))
    shown = asyncio.create_task(_expect(house, "display", "lines", ["This is", TID]))
    code, text = await _ask_and_see(house, ("identify", TID), "signal", "name", "identify")
    assert (code, text) == (0, f"{TID} was told to show itself.\n")
    await asyncio.gather(tone, shown)
    assert (await house.keypad.state())["boots"] == 1


async def test_reboot_starts_the_phone_anew_and_the_bridge_hears_of_the_new_start(house):
    boot = house.bridge.parts.sessions.live(TID).boot
    code, text = await _ask_and_see(house, ("reboot", TID), "signal", "name", "ready")
    assert (code, text) == (0, f"{TID} was told to reboot, and has gone; it is back in some seconds.\n")
    assert (await house.keypad.state())["boots"] == 2
    assert house.bridge.parts.sessions.live(TID).boot != boot


async def test_wipe_leaves_a_phone_that_says_it_is_not_provisioned(house):
    code, text = await _ask_and_see(house, ("wipe", TID, "--yes"), "log", "line", _NOT_SET_UP)
    assert (code, "and has gone" in text) == (0, True)
    assert house.phone.nvs.values == {}
    code, text = await _ask(house, "identify", TID)
    assert (code, text) == (1, f"{TID} was not told to identify: it is not online. Nothing is kept for later.\n")


async def test_reboot_gets_the_phone_out_of_safe_mode(in_safe_mode):
    code, text = await _ask(in_safe_mode, "identify", TID)
    assert (code, "it is in safe mode" in text) == (1, True)
    code, _ = await _ask_and_see(in_safe_mode, ("reboot", TID), "signal", "name", "ready")
    assert code == 0


async def test_wipe_works_in_safe_mode_too(in_safe_mode):
    code, text = await _ask_and_see(in_safe_mode, ("wipe", TID, "--yes"), "log", "line", _NOT_SET_UP)
    assert (code, "does not confirm it" in text) == (0, True)
    assert in_safe_mode.phone.nvs.values == {}
