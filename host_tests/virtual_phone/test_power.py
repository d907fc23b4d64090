"""Starts and ends: resets and their causes, NVS, Wi-Fi, a firmware that ends or hangs, and no process left behind."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from lab_parts import parts
from virtual_phone import vm
from virtual_phone.client import PhoneClient, PhoneError

HERE = Path(__file__).parent
HOST = HERE / "lone_host.py"
PROGRAMS = HERE / "vm_modules"


def _is_running(pid):
    """Say whether a process is there and not just a zombie."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_machine_reset_restarts_the_firmware(start_phone, until_logged):
    bench = await start_phone("resets_once")
    await until_logged(bench.phone, "again")
    assert list(bench.phone.log_lines) == ["first", "again"]
    assert (await bench.client.state())["boots"] == 2


async def test_the_reset_button_restarts_the_firmware_as_a_power_cut_does_and_says_so(start_phone, until_logged):
    bench = await start_phone("reset_cause")
    await until_logged(bench.phone, "cause 1")
    first = bench.phone.pid
    await bench.client.reset()
    await until_logged(bench.phone, "cause 1", 2)
    assert not _is_running(first)
    resets = [event for event in bench.client.history if event["event"] == "reset"]
    assert [(event["cause"], event["boots"]) for event in resets] == [("button", 2)]


async def test_a_hanging_firmware_is_reset_by_its_watchdog(start_phone, until_logged):
    bench = await start_phone("hangs")
    await until_logged(bench.phone, "hangs")
    await until_logged(bench.phone, "cause 3")


async def test_an_interpreter_that_crashes_starts_anew(start_phone, until_logged):
    bench = await start_phone("reset_cause")
    await until_logged(bench.phone, "cause 1")
    os.kill(bench.phone.pid, signal.SIGSEGV)
    await until_logged(bench.phone, "cause 2")
    assert [event["cause"] for event in bench.client.history if event["event"] == "reset"] == ["panic"]


async def test_the_memory_of_the_clock_outlives_a_reset_and_a_crash_but_not_the_button(start_phone, until_logged):
    bench = await start_phone("remembers")
    await until_logged(bench.phone, "found kept")
    os.kill(bench.phone.pid, signal.SIGKILL)
    await until_logged(bench.phone, "found kept", 2)
    await bench.client.reset()
    await until_logged(bench.phone, "found kept", 3)
    lines = ["found ", "buffer too long", "found kept"]
    assert list(bench.phone.log_lines) == [*lines, "found kept", *lines]


async def test_a_key_that_is_held_while_power_comes_is_down_at_the_first_look(start_phone, until_logged):
    bench = await start_phone(text="import time\ntime.sleep(60)")
    await bench.client.power(False)
    await bench.client.hold("5")
    shutil.copyfile(PROGRAMS / "first_look.py", bench.phone.files / "main.py")
    await bench.client.power(True)
    await until_logged(bench.phone, "column 0")


async def test_a_firmware_that_ends_is_reported_and_stays_down_until_reset(start_phone, until, until_logged):
    bench = await start_phone(text="print('only this')\nraise ValueError('broken')")
    await until_logged(bench.phone, "ValueError: broken")
    await until(lambda: bench.phone.pid is None, "the chip has ended")
    state = await bench.client.state()
    assert (state["power"], state["running"], state["boots"]) == (True, False, 1)
    await bench.client.reset()
    await until_logged(bench.phone, "only this", 2)


async def test_boot_runs_before_main_and_shares_its_names(start_phone, write_firmware, until_logged):
    (write_firmware() / "boot.py").write_text("FOUND = 'in boot'\n")
    bench = await start_phone(text="print('found', FOUND, __name__)")
    await until_logged(bench.phone, "found in boot __main__")


async def test_settings_are_in_nvs_and_commits_outlive_a_reset(start_phone, until_logged):
    bench = await start_phone("nvs_before_and_after", {"tid": "desk-101", "name": "Büro", "gone": "soon"})
    await until_logged(bench.phone, "ESP_ERR_NVS_NOT_FOUND")
    missing = "ESP_ERR_NVS_NOT_FOUND"
    assert list(bench.phone.log_lines) == [
        f"desk-101 Büro {missing} {missing} soon",
        "not committed",
        f"desk-101 Büro  committed {missing} {missing}",
        "ESP_ERR_NVS_KEY_TOO_LONG",
        "ESP_ERR_NVS_INVALID_LENGTH",
        "ESP_ERR_NVS_NOT_FOUND",
    ]


async def test_the_station_joins_loses_and_finds_the_access_point(start_phone, until_logged):
    bench = await start_phone(
        "joins_wifi",
        access_point=("office", "secret"),
    )
    await until_logged(bench.phone, "status 1010 True 127.0.0.1")
    await bench.client.wifi(False)
    await until_logged(bench.phone, "status 201 False 0.0.0.0")
    assert (await bench.client.state())["wifi"] == {"up": False, "joined": False}
    await bench.client.wifi(True)
    await until_logged(bench.phone, "status 1010 True 127.0.0.1", 2)
    assert bench.phone.log_lines[0] == "Wifi Not Started"


async def test_a_closed_link_ends_the_chip_by_itself(start_phone, until_logged):
    bench = await start_phone("idle_with_a_pin")
    await until_logged(bench.phone, "started")
    ending = asyncio.create_task(bench.client.wait_for_event(lambda event: event["event"] == "end"))
    await asyncio.sleep(0)  # lets the task begin to listen
    bench.phone.power.chip.close_link()
    assert (await ending)["exit_code"] == 0


async def test_nothing_is_left_after_stop(start_phone, until_logged):
    bench = await start_phone("idle")
    await until_logged(bench.phone, "started")
    pid = bench.phone.pid
    await bench.phone.stop()
    assert not _is_running(pid)
    assert bench.phone.pid is None
    with pytest.raises(PhoneError, match="no phone listens"):
        await PhoneClient.connect("127.0.0.1", bench.phone.control_port)


async def test_stop_may_follow_a_reset_at_once(start_phone, until_logged):
    bench = await start_phone(text="import machine\nprint('resets')\nmachine.reset()")
    await until_logged(bench.phone, "resets")
    await bench.phone.stop()
    assert bench.phone.pid is None


async def test_without_power_there_is_nothing_to_reset(start_phone):
    bench = await start_phone("idle")
    await bench.client.power(False)
    with pytest.raises(PhoneError, match="the phone has no power"):
        await bench.client.reset()


async def test_clients_hear_that_the_phone_is_gone(start_phone):
    bench = await start_phone("idle")
    typing = asyncio.create_task(bench.client.type("123456", hold_ms=1000))
    await bench.client.wait_for_event(lambda event: event["event"] == "contact")
    await bench.phone.stop()
    with pytest.raises(PhoneError, match="closed"):
        await typing
    with pytest.raises(PhoneError, match="closed"):
        await bench.client.state()


def test_a_killed_host_leaves_no_chip_behind(write_firmware):
    with subprocess.Popen(
        [sys.executable, HOST, write_firmware(text="while True: pass"), "64"], stdout=subprocess.PIPE, text=True
    ) as process:
        pid = int(process.stdout.readline())
        assert _is_running(pid)
        os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while _is_running(pid):
        assert time.monotonic() < deadline, "the chip outlived its host"
        time.sleep(0.01)


@pytest.mark.parametrize("bits", vm.WIDTHS)
async def test_a_chip_goes_before_what_else_this_computer_does_where_that_may_be(start_phone, until, need_part, bits):
    if bits == 32:
        need_part(parts.MICROPYTHON_32)
    bench = await start_phone("idle", bits=bits)
    await until(lambda: "started" in bench.phone.log_lines, "the chip runs")
    tried = await asyncio.to_thread(subprocess.run, ["nice", "-n", "-1", "true"], capture_output=True, check=True)
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    assert (os.getpriority(os.PRIO_PROCESS, bench.phone.pid) < ours) is (tried.stderr == b"")
