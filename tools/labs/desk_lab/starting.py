"""Starts a whole desk for a command, has it shown, and stops it whatever ends that: quit, Ctrl-C, a signal, a mistake.

Shows nothing itself. What is wrong is one sentence and exit code 1.
"""

import asyncio
import errno
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import typer
from lab_parts.parts import PartMissing
from pbx_lab.process import LabFailed
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.wording.logs import set_up_logs
from virtual_phone.client import PhoneError

from desk_lab.desk import Desk
from desk_lab.installation import CHIP_READY_S, HOST, PBX_KINDS, PHONES, READY_S, Installation, make_lab

# Is given the desk, what it stands on, and a folder of this run that only its user can read.
Show = Callable[[Desk, Installation, Path], Coroutine[Any, Any, None]]
_CANCEL_AGAIN_S = 10.0  # longer than what was cancelled takes to stop its parts


def run_desk(
    pbx: str, phone: str, ports: Mapping[str, int], show: Show, overrides: Sequence[str] | None = None,
    log_level: str = "warning",
) -> None:  # fmt: skip
    """Start a desk with a call to transfer, and show it until `show` returns.

    ports: each by its option. overrides: settings of the bridge, such as "voipnow.attended=composed".
    """
    if pbx not in PBX_KINDS:
        _fail(f"--pbx can be {', '.join(PBX_KINDS[:-1])} or {PBX_KINDS[-1]}, not {pbx}.")
    if phone not in PHONES:
        _fail(f"--phone can be {' or '.join(PHONES)}, not {phone}.")
    for option, port in ports.items():
        _check_port(port, option)
        if twin := next((other for other in ports if other != option and ports[other] == port), None):
            _fail(f"{option} and {twin} are both {port}: they must differ.")
    set_up_logs("console", log_level)
    with tempfile.TemporaryDirectory(prefix="phoneterm-run-") as folder:
        try:
            broker_port, control_port = ports["--broker-port"], ports["--control-port"]
            installation = Installation(make_lab(pbx), Path(folder), broker_port, control_port, PHONES[phone])
            installation.more_settings = tuple(overrides or ())
            installation.ready_s = CHIP_READY_S if phone == "chip" else READY_S
            asyncio.run(_run(installation, Path(folder), show))
        except (PartMissing, LabFailed, SetupProblem, PhoneError) as problem:
            _fail(str(problem))
        except OSError as error:
            for option, port in ports.items() if error.errno == errno.EADDRINUSE else ():
                _check_port(port, option)  # names the one that somebody has taken since it was tried
            raise
        except KeyboardInterrupt:
            return


async def _run(installation: Installation, folder: Path, show: Show) -> None:
    loop = asyncio.get_running_loop()
    is_to_stop = asyncio.Event()
    is_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    numbers = (signal.SIGINT, signal.SIGTERM, *(() if is_nohup else (signal.SIGHUP,)))
    for number in numbers:
        loop.add_signal_handler(number, is_to_stop.set)
    try:
        echo("Starting ...")
        await do_unless(is_to_stop, _start(installation))
        desk = Desk(installation)
        try:
            await do_unless(is_to_stop, desk.start())
            await do_unless(is_to_stop, show(desk, installation, folder))
        finally:
            await desk.stop()
    except asyncio.CancelledError:
        echo("")
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal that closes may say so twice
        await installation.stop()
        echo("Stopped.")


async def _start(installation: Installation) -> None:
    await installation.start()
    await installation.place_call()


async def do_unless(
    is_to_stop: asyncio.Event, work: Coroutine[Any, Any, None], again_s: float = _CANCEL_AGAIN_S
) -> None:
    """Do some work to its end, or cancel it once it is to stop, and then raise CancelledError.

    A prompt that ends just then swallows the cancellation, so what goes on after `again_s` is cancelled again.
    """
    task, stopping = asyncio.create_task(work), asyncio.create_task(is_to_stop.wait())
    await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    while not task.done():
        task.cancel()
        await asyncio.wait((task,), timeout=again_s)
    await task
    if is_to_stop.is_set():
        raise asyncio.CancelledError


def has_terminal() -> bool:
    """Return whether somebody can type here."""
    return sys.stdin is not None and sys.stdin.isatty()


def echo(text: str) -> None:
    """Print a text, unless nobody reads it any more: a terminal that is closed, or a pipe, ends nothing else."""
    with suppress(OSError):
        typer.echo(text)


def _check_port(port: int, option: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            _fail(f"Port {port} cannot be used ({error.strerror}): choose another with {option}.")


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
