"""`phoneterm phone`: run a virtual phone, press its keys, see what it shows.

Does no work of its own: `run` starts a VirtualPhone, the others talk to a running one by its control socket.
Errors are one sentence on stderr and exit code 1.
"""

import asyncio
import json
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from firmware_build.sizes import CompileFailed
from lab_parts.parts import PartMissing

from virtual_phone import vm
from virtual_phone.build import FIRMWARE, Build
from virtual_phone.client import PhoneClient, PhoneError
from virtual_phone.phone import VirtualPhone
from virtual_phone.settings_file import SettingsUnusable, read_settings_file
from virtual_phone.wired_display import KINDS as DISPLAYS

HOST = "127.0.0.1"
DEFAULT_CONTROL_PORT = 7410

app = typer.Typer(help="A virtual phone: the firmware on a simulated chip.", no_args_is_help=True)
_Control = Annotated[int, typer.Option("--control", help="Port of the control socket.", min=1, max=65535)]
_HoldMs = Annotated[int, typer.Option("--hold-ms", help="How long each key is down.")]
_GapMs = Annotated[int, typer.Option("--gap-ms", help="From one key's release to the next key; below 0: roll-over.")]


@app.command()
def run(
    settings: Annotated[Path | None, typer.Option(help="The terminal's settings (TOML or JSON).")] = None,
    broker: Annotated[str | None, typer.Option(help="The broker as HOST:PORT, instead of the file's.")] = None,
    tid: Annotated[str | None, typer.Option(help="The terminal's id, instead of the file's.")] = None,
    control: _Control = DEFAULT_CONTROL_PORT,
    firmware: Annotated[Path, typer.Option(help="Folder with main.py.")] = FIRMWARE,
    heap_kib: Annotated[int, typer.Option(help="Heap of the chip in KiB.", min=32, max=65536)] = vm.CHIP_HEAP_KIB,
    bits: Annotated[int, typer.Option("--vm", help="MicroPython of 64 bits, or of 32 as the chip's.")] = 64,
    display: Annotated[str, typer.Option(help="A display that costs time, as on a chip: oled or lcd.")] = "",
    tick_ms: Annotated[int, typer.Option(help="Wait in ticks of this many ms; the chip's are 10.", min=0, max=100)] = 0,
) -> None:
    """Run a phone until Ctrl-C; its keypad is at the control socket."""
    try:
        texts = {"wifi_ssid": "virtual"} | (read_settings_file(settings) if settings else {})
    except SettingsUnusable as error:
        _fail(str(error))
    if broker is not None:
        host, _, port = broker.rpartition(":")
        if not host or not port.isascii() or not port.isdigit():
            _fail(f"The broker {broker} is not HOST:PORT.")
        texts |= {"mqtt_host": host, "mqtt_port": port}
    if bits not in vm.WIDTHS:
        _fail(f"There is no MicroPython of {bits} bits: choose 64 or 32.")
    if not (firmware / "main.py").is_file():
        _fail(f"There is no main.py in {firmware}.")
    if tid is not None:
        texts["tid"] = tid
    if display and display not in DISPLAYS:
        _fail(f"There is no display {display}; there are {' and '.join(DISPLAYS)}.")
    try:
        build = Build(firmware, display=display, heap_kib=heap_kib, bits=bits, tick_ms=tick_ms)
        made = VirtualPhone(texts, control, build)
        asyncio.run(_run(made))
    except PartMissing as missing:
        _fail(str(missing))
    except CompileFailed as error:
        _fail(f"{error}.")
    except OSError as error:
        _fail(f"Port {control} cannot be used ({os.strerror(error.errno or 0)}); choose another with --control.")


async def _run(phone: VirtualPhone) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    phone.events.listen(lambda event: typer.echo(_line(event)))
    await phone.start()
    typer.echo(f'The phone runs; press keys with: phoneterm phone press "#1102" --control {phone.control_port}')
    await stopped.wait()
    await phone.stop()


@app.command()
def press(
    keys: Annotated[str, typer.Argument(help='The keys one after the other, such as "#1102".')],
    hold_ms: _HoldMs = 60,
    gap_ms: _GapMs = 60,
    control: _Control = DEFAULT_CONTROL_PORT,
) -> None:
    """Press keys."""
    _talk(control, lambda phone: phone.type(keys, hold_ms, gap_ms))


@app.command()
def hold(key: Annotated[str, typer.Argument(help="One key.")], control: _Control = DEFAULT_CONTROL_PORT) -> None:
    """Press a key and keep it down; the cancel key, held at power-on, leads to safe mode."""
    _talk(control, lambda phone: phone.hold(key))


@app.command()
def release(key: Annotated[str, typer.Argument(help="One key.")], control: _Control = DEFAULT_CONTROL_PORT) -> None:
    """Let a key go."""
    _talk(control, lambda phone: phone.release(key))


@app.command()
def power(
    direction: Annotated[str, typer.Argument(help="Either on or off.")], control: _Control = DEFAULT_CONTROL_PORT
) -> None:
    """Switch the power."""
    if direction not in ("on", "off"):
        _fail(f"The power can be on or off, not {direction}.")
    _talk(control, lambda phone: phone.power(direction == "on"))


@app.command()
def hook(
    position: Annotated[str, typer.Argument(help="Either on or off.")], control: _Control = DEFAULT_CONTROL_PORT
) -> None:
    """Lift the receiver (off) or put it back (on)."""
    _talk(control, lambda phone: phone.hook(position))


@app.command()
def wifi(
    direction: Annotated[str, typer.Argument(help="Either up or down.")], control: _Control = DEFAULT_CONTROL_PORT
) -> None:
    """Switch the access point."""
    if direction not in ("up", "down"):
        _fail(f"The access point can be up or down, not {direction}.")
    _talk(control, lambda phone: phone.wifi(direction == "up"))


@app.command()
def reset(control: _Control = DEFAULT_CONTROL_PORT) -> None:
    """Press the reset button."""
    _talk(control, lambda phone: phone.reset())


@app.command()
def state(control: _Control = DEFAULT_CONTROL_PORT) -> None:
    """Print what can be seen of the phone, as JSON."""

    async def show(phone: PhoneClient) -> None:
        seen = await phone.state()
        typer.echo(json.dumps({name: value for name, value in seen.items() if name not in ("id", "ok")}, indent=2))

    _talk(control, show)


@app.command()
def watch(control: _Control = DEFAULT_CONTROL_PORT) -> None:
    """Print what happens, until Ctrl-C or until the phone is gone."""

    async def show(phone: PhoneClient) -> None:
        async for event in phone.events(has_history=True):
            typer.echo(_line(event))

    _talk(control, show)


def _line(event: dict[str, Any]) -> str:
    fields = " ".join(
        f"{name}={json.dumps(value)}" for name, value in event.items() if name not in ("event", "time_ms")
    )
    return f"{event['time_ms']:.1f} {event['event']} {fields}"


def _talk(port: int, act: Callable[[PhoneClient], Coroutine[Any, Any, Any]]) -> None:
    """Do something with the phone at a control port."""

    async def connect_and_act() -> None:
        async with await PhoneClient.connect(HOST, port) as phone:
            await act(phone)

    try:
        asyncio.run(connect_and_act())
    except PhoneError as error:
        _fail(f"{error}.")
    except KeyboardInterrupt:
        return


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence[:1].upper() + sentence[1:], err=True)
    raise typer.Exit(1)
