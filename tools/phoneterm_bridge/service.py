"""The bridge as a whole: starts its parts in order, and takes them down again. Decides nothing itself.

Parts start in the order of the methods `_start_...` and stop in reverse order. Stopping: no more commands are taken,
commands at the PBX finish (within a time limit), the PBX stops, "offline" is published, then the link, the console, the
pages, the broker, the site's limit, the journal and the store stop. Trouble at the start is a SetupProblem; if broker
or PBX fail later, the bridge waits for them.
"""

import asyncio
import platform
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from phoneterm_bridge.assembly import Parts, assemble
from phoneterm_bridge.events import Events
from phoneterm_bridge.mqtt.link import Link
from phoneterm_bridge.pbx.port import Pbx, PbxRejectedLogin
from phoneterm_bridge.policy.record import record_policy
from phoneterm_bridge.settings.bridge import BridgeSettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.settings.timing import USUAL, Timing
from phoneterm_bridge.store.database import open_store, using
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.forgetting import keep_forgetting
from phoneterm_bridge.store.head_noting import keep_noting
from phoneterm_bridge.store.owner import note_files, own_store
from phoneterm_bridge.store.pbx_permissions import stop_following
from phoneterm_bridge.store.refreshing import keep_refreshing
from phoneterm_bridge.store.store_trouble import describe_for
from phoneterm_bridge.store.upgrading import upgrade_store
from phoneterm_bridge.terminals.host_clock import HostClock

if TYPE_CHECKING:  # imported only when it is enabled
    from phoneterm_bridge.console.joining import Console

_FINISH_S = 5


class Bridge:
    """One bridge between terminals and a PBX. `link` replaces the MQTT connection of the settings; `timing` its waits.

    `clock` replaces the host's clocks. `parts` and `events` exist from the start on.
    """

    parts: Parts

    def __init__(
        self, settings: BridgeSettings, pbx: Pbx, link: Link | None = None, timing: Timing = USUAL,
        clock: HostClock | None = None,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._pbx = pbx
        self._link = link
        self._timing = timing
        self._clock = clock
        self._started = AsyncExitStack()
        self._hurried = asyncio.Event()
        self._is_assembled = False
        self.console: Console | None = None

    @property
    def is_link_up(self) -> bool:
        """Say whether the bridge is connected to the broker and subscribed."""
        return self.parts.health.is_link_up

    @property
    def broker_port(self) -> int:
        """The port of the MQTT broker."""
        broker = self.parts.broker
        return broker.port if broker else self._settings.broker.port

    @property
    def http_port(self) -> int | None:
        """The port of the pages, None without any."""
        return self.parts.pages.port if self.parts.pages else None

    async def start(self) -> None:
        """Start everything; if one part cannot be started, those before it are stopped again."""
        try:
            with using(self._settings.store.path):
                await self._start_store()
                await self._start_policy()
            await self._start_broker()
            await self._start_pages()
            await self._start_console()
            await self._start_link()
            await self._start_pbx()
        except BaseException:
            await self._started.aclose()
            raise

    async def stop(self) -> None:
        """Finish commands in flight, say offline, and stop everything."""
        self.parts.health.is_stopping = True
        await self._started.aclose()

    def hurry(self) -> None:
        """When stopping, no longer wait for answers of the PBX."""
        self._hurried.set()

    async def refresh(self) -> None:
        """Take over changes in the store at once, tell the terminals that they concern, and pass requests on."""
        await self.events.on_store()

    def reload(self) -> None:
        """Take over a renewed certificate for the embedded broker; a pair that cannot be used changes nothing.

        Nothing else is read again. The bridge reads the files of its own connection at each connect anyway.
        """
        if not self._is_assembled:  # it will read the files as they are now
            return
        log, tls = structlog.get_logger(), self.parts.tls
        try:
            if tls is not None:
                tls.renew()
        except SetupProblem as problem:
            log.warning("certificate-not-renewed", why=f"{problem} The broker goes on with the one that it has.")
        else:
            log.info("certificate-renewed" if tls is not None else "nothing-to-reload")
        if self.parts.certificate is not None:
            self.parts.certificate.look_now()

    async def _start_store(self) -> None:
        path = self._settings.store.path
        lock = self._started.enter_context(own_store(path))
        if path.exists():
            await asyncio.to_thread(self._upgrade_store, path)
        engine = await asyncio.to_thread(open_store, path)
        self._started.callback(engine.dispose)
        self.parts = assemble(self._settings, self._pbx, engine, self._link, self._timing, self._clock)
        self.events = Events(self.parts)
        self._is_assembled = True
        await asyncio.to_thread(self._choose_source)
        await self.parts.directory.refresh()
        await asyncio.to_thread(self.parts.sightings.recall)
        if days := self._settings.store.numbers_days:
            task = asyncio.create_task(keep_forgetting(engine, days), name="forgetting numbers")
            self._started.push_async_callback(_end_task, task)
        unknown = await self.parts.journal.start()
        self._started.push_async_callback(self.parts.journal.stop)
        self._started.push_async_callback(self.parts.sightings.keep, True)
        self.parts.store_file.begin()
        note_files(lock, self.parts.store_file.files)
        task = asyncio.create_task(keep_noting(engine), name="noting the journal's head")
        self._started.push_async_callback(_end_task, task)
        if unknown:
            structlog.get_logger().warning("commands-without-a-result-are-now-unknown", count=unknown)

    def _choose_source(self) -> None:
        """Settle who says from now on who is multi user aware, before anybody asks."""
        if self.parts.permissions is not None:
            self.parts.permissions.begin()
        else:
            stop_following(self.parts.engine, "bridge", f"host {platform.node()}")

    def _upgrade_store(self, path: Path) -> None:
        """Bring the store of an earlier version to the schema of this one, as the one bridge that has it."""
        if upgraded := upgrade_store(path):
            words = {"schema_before": upgraded.before, "schema": upgraded.now, "backup": str(upgraded.backup)}
            structlog.get_logger().info("store-upgraded", **words)

    async def _start_policy(self) -> None:
        directory = Directory(self.parts.engine, "bridge", f"host {platform.node()}")
        await asyncio.to_thread(directory.note_whole)
        await asyncio.to_thread(record_policy, self.parts.engine, self._settings.phones, self._settings.policy)
        await self.parts.site.recall(self.parts.policy)
        self._started.push_async_callback(self.parts.site.stop)

    async def _start_broker(self) -> None:
        if self.parts.broker is not None:
            await self.parts.broker.start()
            self._started.push_async_callback(self.parts.broker.stop)

    async def _start_pages(self) -> None:
        if self.parts.pages is not None:
            await self.parts.pages.start()
            self._started.push_async_callback(self.parts.pages.stop)

    async def _start_console(self) -> None:
        if not self._settings.console.enabled:
            return
        from phoneterm_bridge.console.joining import Console
        from phoneterm_bridge.console.sources import Sources

        parts = self.parts
        permission_source = None if parts.permissions is None else parts.permissions.source
        sources = Sources(
            parts.settings, parts.engine, parts.directory, parts.sessions, parts.sightings, parts.telemetry,
            parts.troubles, parts.updates, parts.health, self.refresh, permission_source,
        )  # fmt: skip
        self.console = Console(sources)
        await self.console.start()
        self._started.push_async_callback(self.console.stop)

    async def _start_link(self) -> None:
        parts = self.parts
        self._started.callback(parts.running_commands.stop)
        works = [parts.pulse.run(), parts.health.watch_loop(), parts.updates.watch_clock(self._timing.look_every_s)]
        if parts.certificate is not None:
            works.append(parts.certificate.run())
        for work in works:
            self._started.push_async_callback(_end_task, asyncio.create_task(work, name="health"))
        await parts.link.start(self.events)
        self._started.push_async_callback(parts.link.stop)
        self._started.callback(parts.outbox.flush)
        self._started.callback(parts.publisher.say_bridge_state, "offline")

    async def _start_pbx(self) -> None:
        self._pbx.listen(self.events)
        self._pbx.watch(self.parts.directory.endpoints)
        try:
            await self._pbx.start()
        except PbxRejectedLogin as error:
            raise SetupProblem(f"{error} ({error.settings} in the settings).") from None
        self._started.push_async_callback(self._pbx.stop)
        explain = partial(describe_for, self.parts.engine)
        refreshing = keep_refreshing(self.events.on_store, self.parts.health.on_store_read, explain=explain)
        task = asyncio.create_task(refreshing, name="directory refresh")
        self._started.push_async_callback(_end_task, task)
        if (follower := self.parts.permissions) is not None:
            self._started.push_async_callback(follower.source.close)
            following = asyncio.create_task(follower.run(), name="permissions")
            self._started.push_async_callback(_end_task, following)
        self._started.push_async_callback(self._finish_commands)

    async def _finish_commands(self) -> None:
        """Take no more commands, and wait for those at the PBX, for a limited time or until `hurry` is called."""
        dispatcher = self.parts.dispatcher
        dispatcher.close()
        finishing = asyncio.create_task(dispatcher.finish(_FINISH_S))
        hurrying = asyncio.create_task(self._hurried.wait())
        await asyncio.wait((finishing, hurrying), return_when=asyncio.FIRST_COMPLETED)
        for task in (finishing, hurrying):
            await _end_task(task)
        if dispatcher.in_flight:
            words = {"commands": dispatcher.in_flight, "is_hurried": self._hurried.is_set()}
            structlog.get_logger().warning("left-with-the-pbx", **words)


async def _end_task(task: asyncio.Task) -> None:
    task.cancel()
    await asyncio.wait([task])
