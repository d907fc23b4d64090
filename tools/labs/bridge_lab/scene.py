"""Everything that a measurement needs, each in its own process: PBX, broker, bridge (on its own core), crowd.

Does not measure. The broker is a real mosquitto with exactly the files that `phoneterm broker config` writes, or the
one inside the bridge.
"""

import asyncio
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa
from lab_parts import parts
from lab_parts.free_port import free_port
from phoneterm_bridge.settings.console import ConsoleSettings
from phoneterm_bridge.settings.http import HttpSettings
from phoneterm_bridge.store import tables
from phoneterm_bridge.store.database import open_store

from bridge_lab import peers, site
from bridge_lab.journal_bench import fill_journal
from bridge_lab.worker import Worker, WorkerFailed, python, share_cores

_PATIENCE_S = 20.0
_BASE = "phoneterm"

MakePeer = Callable[[Path, peers.Surroundings], peers.Peer | None]


class PeerMissing(Exception):
    """The peer is not available on this machine."""


class Scene:
    """One site under load; an async context. `calls` terminals have a call, all `terminals` are in the store.

    has_pages: the bridge serves its HTTP pages, as on a monitored site. is_watched: it is noted when a mosquitto hands
    out each command. journalled: how many commands of another day the journal has. has_console: there is the console.
    """

    def __init__(
        self, terminals: int, calls: int = 0, is_moving: bool = False, is_embedded: bool = False,
        has_pages: bool = False, make_peer: MakePeer | None = None, is_watched: bool = True,
        journalled: int = 0, has_console: bool = False,
    ) -> None:  # fmt: skip
        self._count = terminals
        self._calls = calls
        self._is_moving = is_moving
        self._is_embedded = is_embedded
        self._has_pages = has_pages
        self._make_peer = make_peer
        self._is_watched = is_watched
        self._journalled = journalled
        self._has_console = has_console
        self._bridge_core, self.other_cores = share_cores()
        self.secret = secrets.token_hex(16)
        self._stack = AsyncExitStack()
        self.broker_port = 0

    async def __aenter__(self) -> Self:
        """Start all processes; if one fails, those before it are stopped again."""
        try:
            self.folder = Path(tempfile.mkdtemp(prefix="phoneterm-bridge-lab-"))
            self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self.store = self.folder / "bridge.db"
            self.identities = await asyncio.to_thread(site.make_store, self.store, self._count)
            if self._journalled:
                await fill_journal(self.store, self._journalled)
            await self._start_pbx()
            self.broker_port = free_port()
            http = HttpSettings(enabled=self._has_pages, port=free_port())
            console = ConsoleSettings(enabled=self._has_console, port=free_port())
            self.settings = site.make_settings(
                self.store, self.broker_port, self.pbx_port, self.secret, http, console, embedded=self._is_embedded
            )
            if not self._is_embedded:
                await self._start_broker()
                if self._is_watched:
                    await self.pbx.ask(do="watch", port=self.broker_port, password=self.secret, base=_BASE)
            await self.start_subject()
            self.crowd = await self._start(
                Worker("crowd", python("bridge_lab.crowd"), self.other_cores, self.folder / "crowd.log")
            )
            self.flooder = await self._start(
                Worker("flooder", python("bridge_lab.flooder"), self.other_cores, self.folder / "flooder.log")
            )
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all."""
        await self._stack.aclose()

    async def start_subject(self) -> None:
        """Start the bridge, or the peer in its place, and return once it is connected to broker and PBX."""
        if self._make_peer is not None:
            await self._start_peer(self._make_peer)
            return
        phoneterm = str(Path(sys.executable).with_name("phoneterm"))
        argv = [phoneterm, "bridge", "run", *site.overrides(self.settings)]
        log = self.folder / "bridge.log"
        self.subject = Worker("bridge", argv, self._bridge_core, log)
        await self.subject.start(site.secrets_environment(self.secret))
        self._stack.push_async_callback(self.subject.stop)
        await _wait_for(log, ("broker-there", "pbx-available"))

    async def _start_peer(self, make_peer: MakePeer) -> None:
        folder = self.folder / "peer"
        folder.mkdir()
        channels = {f"load-{endpoint}": name for endpoint, name in self._channels.items()}
        broker = self.settings.broker
        where = peers.Surroundings(
            _BASE, self.broker_port, broker.username, self.pbx_port, site.USERNAME, self.secret, channels, free_port()
        )
        peer = await asyncio.to_thread(make_peer, folder, where)
        if peer is None:
            raise PeerMissing
        log = self.folder / "peer.log"
        self.subject = Worker(peer.name, peer.argv, self._bridge_core, log, is_mute=True)
        await self.subject.start(peer.environment)
        self._stack.push_async_callback(self.subject.stop)
        await _wait_for(log, (peer.is_ready,))

    async def join(self, count: int) -> float:
        """Log in the first terminals; return the seconds that took."""
        listed = [one.as_list() for one in self.identities[:count]]
        is_bare = self._make_peer is not None
        answer = await self.crowd.ask(
            300.0, do="join", port=self.broker_port, base=_BASE, terminals=listed, is_bare=is_bare
        )
        return float(answer["seconds"])

    async def scrape(self) -> str:
        """Return the bridge's metrics, as Prometheus gets them."""
        return await self.read_page("/metrics")

    async def read_page(self, path: str) -> str:
        """Return one of the bridge's pages."""
        http = self.settings.http
        if not http.enabled:
            raise ValueError("this bridge serves no pages")
        reader, writer = await asyncio.open_connection(http.host, http.port)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            answer = await asyncio.wait_for(reader.read(), _PATIENCE_S)
        finally:
            writer.close()
        head, _, text = answer.decode().partition("\r\n\r\n")
        if not head.startswith("HTTP/1.1 200 "):
            raise WorkerFailed(f"The bridge did not give {path}, but: {head[:200]!r}")
        return text

    def count_journalled(self) -> int:
        """Return how many commands are in the bridge's journal with the result "done"."""
        engine = open_store(self.store)
        done = sa.select(sa.func.count()).select_from(tables.lines)
        done = done.where(tables.lines.c.stage == "result", tables.lines.c.word == "done")
        try:
            with engine.connect() as connection:
                return int(connection.execute(done).scalar_one())
        finally:
            engine.dispose()

    async def _start(self, worker: Worker) -> Worker:
        await worker.start()
        self._stack.push_async_callback(worker.stop)
        return worker

    async def _start_pbx(self) -> None:
        options = ["--username", site.USERNAME, "--secret", self.secret, "--first", str(site.FIRST_EXTENSION)]
        options += ["--count", str(self._calls), *(["--moving"] if self._is_moving else [])]
        argv = python("bridge_lab.busy_pbx", *options)
        self.pbx = await self._start(Worker("pbx", argv, self.other_cores, self.folder / "pbx.log"))
        said = await self.pbx.read()
        self.pbx_port, self._channels = int(said["port"]), said["channels"]

    async def _start_broker(self) -> None:
        part = parts.find("mosquitto")
        folder = part.make_folder()
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        inside = Path(part.inside(folder))
        await asyncio.to_thread(site.write_broker_files, self.settings, folder, inside)
        argv = [*part.argv, "-c", str(inside / "mosquitto.conf")]
        await self._start(Worker("mosquitto", argv, self.other_cores))
        await _wait_listening(self.broker_port)


async def _wait_listening(port: int) -> None:
    deadline_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline_s:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        return
    raise WorkerFailed(f"The process mosquitto does not listen on port {port}.")


async def _wait_for(log: Path, events: tuple[str, ...]) -> None:
    """Return once all events are in a log."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline_s:
        text = await asyncio.to_thread(_read, log)
        if all(event in text for event in events):
            return
        await asyncio.sleep(0.02)
    raise WorkerFailed(f"The log did not say {' and '.join(events)}, but: {text[-400:]}")


def _read(log: Path) -> str:
    return log.read_text(errors="replace") if log.exists() else ""
