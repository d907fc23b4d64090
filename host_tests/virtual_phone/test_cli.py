"""`phoneterm phone`: its commands work, and an error is one sentence and exit code 1."""

import asyncio
import json
import shutil
import signal
import subprocess
import sys

import pytest
from lab_parts.free_port import free_port
from typer.testing import CliRunner
from virtual_phone.build import FIRMWARE
from virtual_phone.cli import app
from virtual_phone.client import PhoneClient, PhoneError

PHONE = [sys.executable, "-c", "from virtual_phone.cli import app; app()"]


async def _run(*arguments):
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments))


async def test_keys_are_pressed_and_the_state_is_shown(key_logger, until):
    port = str(key_logger.phone.control_port)
    pressed = await _run("press", "#1", "--control", port, "--hold-ms", "20", "--gap-ms", "20")
    assert (pressed.exit_code, pressed.output) == (0, "")

    def pressed_keys():
        return [event["legend"] for event in key_logger.client.history if event["event"] == "contact"]

    await until(lambda: pressed_keys() == ["#", "#", "1", "1"], "# and 1 were pressed")
    assert (await _run("hook", "off", "--control", port)).exit_code == 0
    assert (await _run("wifi", "down", "--control", port)).exit_code == 0
    state = json.loads((await _run("state", "--control", port)).output)
    assert (state["hook"], state["wifi"]["up"], state["boots"]) == ("off", False, 1)
    assert (await _run("reset", "--control", port)).exit_code == 0


async def test_safe_mode_is_reached_and_seen_from_the_command_line(start_phone, until, need_stock_modules):
    bench = await start_phone("idle")
    for name in ("boot.py", "main.py", "safe.py"):
        (bench.phone.files / name).write_bytes((FIRMWARE / name).read_bytes())
    shutil.copytree(FIRMWARE / "phoneterm", bench.phone.files / "phoneterm")
    port = ("--control", str(bench.phone.control_port))
    watching = await asyncio.create_subprocess_exec(*PHONE, "watch", *port, stdout=asyncio.subprocess.PIPE)
    await until(lambda: len(bench.phone.events) == 2, "somebody watches")
    for command in (("power", "off"), ("hold", "C"), ("power", "on")):
        result = await _run(*command, *port)
        assert (result.exit_code, result.output) == (0, "")
    await bench.client.wait_for_signal("safe-mode")
    await until(lambda: bench.phone.state()["display"], "the display shows it")
    state = json.loads((await _run("state", *port)).output)
    assert (state["signal"], state["display"]) == ("safe-mode", ["safe mode", "cancel key held"])
    assert (await _run("release", "C", *port)).exit_code == 0
    await bench.phone.stop()
    seen = (await watching.communicate())[0].decode()
    for line in (
        'signal name="safe-mode"',
        'line="safe mode: cancel key held"',
        'lines=["safe mode", "cancel key held"]',
    ):
        assert line in seen


async def test_watch_prints_events_until_the_phone_is_gone(start_phone, until):
    bench = await start_phone("idle")
    watching = asyncio.create_task(_run("watch", "--control", str(bench.phone.control_port)))
    await until(lambda: len(bench.phone.events) == 2, "somebody watches")
    await bench.client.hook("off")
    await bench.phone.stop()
    result = await watching
    assert result.exit_code == 0
    assert 'hook position="off"' in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("press", "1"),
        ("hook", "on"),
        ("state",),
        ("watch",),
        ("reset",),
        ("wifi", "up"),
        ("hold", "1"),
        ("release", "1"),
        ("power", "off"),
    ],
)
async def test_without_a_phone_there_is_one_sentence(arguments):
    port = str(free_port())
    result = await _run(*arguments, "--control", port)
    assert (result.exit_code, result.output) == (1, f"No phone listens on 127.0.0.1:{port}.\n")


async def test_something_else_on_the_port_is_not_taken_for_a_phone():
    async def serve(reader, writer):
        writer.write(b"SSH-2.0-something\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(PhoneError, match="not a phone"):
            await PhoneClient.connect("127.0.0.1", port)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("press", "12x"), "There is no key 'x'; the keys are 123A456B789C*0#D."),
        (("hook", "up"), "Position must be on or off."),
        (("wifi", "sideways"), "The access point can be up or down, not sideways."),
    ],
)
async def test_what_the_phone_refuses_is_one_sentence(start_phone, arguments, sentence):
    bench = await start_phone("idle")
    result = await _run(*arguments, "--control", str(bench.phone.control_port))
    assert (result.exit_code, result.output) == (1, sentence + "\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--broker", "nowhere"), "The broker nowhere is not HOST:PORT."),
        (("--settings", "none.toml"), "The settings file none.toml cannot be read: No such file or directory."),
        (("--firmware", "nowhere"), "There is no main.py in nowhere."),
        (("--display", "crt"), "There is no display crt; there are oled and lcd."),
    ],
)
async def test_a_phone_that_cannot_run_says_why(arguments, sentence):
    result = await _run("run", *arguments)
    assert (result.exit_code, result.output) == (1, sentence + "\n")


async def test_a_taken_port_is_named_with_the_option_that_changes_it(start_phone):
    port = (await start_phone("idle")).phone.control_port
    arguments = [*PHONE, "run", "--control", str(port)]
    result = await asyncio.to_thread(subprocess.run, arguments, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"Port {port} cannot be used (Address already in use); choose another with --control.\n"


def test_a_running_phone_stops_cleanly_at_a_signal(write_firmware, tmp_path):
    (tmp_path / "settings.toml").write_text('tid = "desk-101"\n')
    arguments = ["run", "--settings", str(tmp_path / "settings.toml"), "--firmware", str(write_firmware("idle"))]
    arguments += ["--control", str(free_port())]
    with subprocess.Popen([*PHONE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        lines = []
        while not any("started" in line for line in lines):
            lines.append(process.stdout.readline())
            assert lines[-1], lines
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
    assert process.returncode == 0
    assert "Traceback" not in rest
