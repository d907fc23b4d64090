"""`phoneterm bridge`: run the bridge, or write a first settings file.

Does no work of its own. `run` ends with exit code 0 on SIGTERM or Ctrl-C, once the work in progress has finished;
a second signal does not wait for that. On SIGHUP it takes over a renewed certificate and goes on.
"""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import structlog
import typer

from phoneterm_bridge.cli.example import make_example
from phoneterm_bridge.cli.options import Config, Overrides, one_sentence, read_settings
from phoneterm_bridge.health.pauses import shorten_pauses
from phoneterm_bridge.pbx.backends import make_pbx
from phoneterm_bridge.service import Bridge
from phoneterm_bridge.settings.bridge import BridgeSettings
from phoneterm_bridge.settings.place import HERE, SYSTEM, default_store, find_place, place_to_write
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.private_files import make_file, mode_of_settings
from phoneterm_bridge.systemd.service_manager import ServiceManager
from phoneterm_bridge.systemd.watchdog import keep_telling
from phoneterm_bridge.wording.logs import set_up_logs

app = typer.Typer(
    help="The bridge between terminals and the PBX.", no_args_is_help=True, pretty_exceptions_enable=False
)


@app.command()
def run(config: Config = None, overrides: Overrides = None) -> None:
    """Run the bridge until SIGTERM or Ctrl-C; on SIGHUP it takes over a renewed certificate."""
    with one_sentence():
        settings = read_settings(config, overrides)
        set_up_logs(settings.log.format, settings.log.level)
        _run_loop(_run(settings))


@app.command()
def init(
    context: typer.Context,
    path: Annotated[
        Path | None,
        typer.Argument(
            help=f"The settings file to write; by default where every command finds it: {SYSTEM} if you can write "
            f"there, else {HERE} here."
        ),
    ] = None,
) -> None:
    """Write a commented settings file to start from, which only its owner can read."""
    with one_sentence():
        target = path or context.find_root().params.get("config") or place_to_write()
        try:
            make_file(target, mode_of_settings(target.parent))
            target.write_text(make_example(default_store(target)), encoding="utf-8")
        except OSError as error:
            raise SetupProblem(f"The file {target} cannot be written: {error.strerror}.") from None
        found = find_place(None).path
        is_found = found is not None and found.exists() and found.samefile(target)
        where, option = "", f" --config {target}"
        if is_found:
            where, option = f", where every command{' in this folder' * (found == HERE)} finds it", ""
        typer.echo(f"Settings written to {target}{where}; next: phoneterm doctor{option}")


async def _run(settings: BridgeSettings) -> None:
    bridge = Bridge(settings, make_pbx(settings))
    stopped = asyncio.Event()

    def stop() -> None:
        if stopped.is_set():
            bridge.hurry()
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, bridge.reload)
    if await _start(bridge, stopped):
        _say_setup_link(bridge)
        await _serve(bridge, stopped)


def _say_setup_link(bridge: Bridge) -> None:
    """Print the console's one-time link while it has no account."""
    if bridge.console is not None and bridge.console.setup_link is not None:
        typer.echo(f"The console has no account yet. This link makes the first one, once: {bridge.console.setup_link}")


async def _start(bridge: Bridge, stopped: asyncio.Event) -> bool:
    """Start the bridge, and return whether it runs: a signal ends the start as well."""
    starting, waiting = asyncio.create_task(bridge.start()), asyncio.create_task(stopped.wait())
    await asyncio.wait((starting, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not starting.done():
        starting.cancel()
        with suppress(asyncio.CancelledError):
            await starting
        return False
    await starting
    return True


async def _serve(bridge: Bridge, stopped: asyncio.Event) -> None:
    """Serve until a signal comes, then shut down in order; systemd, if there is one, is informed."""
    shorten_pauses()
    manager = ServiceManager()
    ports = {"broker_port": bridge.broker_port} | ({"http_port": bridge.http_port} if bridge.http_port else {})
    structlog.get_logger().info("bridge-runs", **ports)
    manager.say(READY=1)
    telling = asyncio.create_task(keep_telling(manager, bridge.parts.health))
    await stopped.wait()
    structlog.get_logger().info("bridge-stops")
    manager.say(STOPPING=1)
    await bridge.stop()
    telling.cancel()
    structlog.get_logger().info("bridge-stopped")


def _run_loop(work: Coroutine[None, None, None]) -> None:
    """Run on uvloop, which takes a quarter less time, or on asyncio's own loop if there is no uvloop."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)
