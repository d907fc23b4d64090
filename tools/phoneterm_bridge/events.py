"""Passes events of the link, the PBX and the store to the parts that they concern. Decides nothing itself."""

import asyncio
from collections.abc import Callable

import structlog

from phoneterm_bridge.assembly import Parts

_TOLD_AT_ONCE = 16  # terminals in one turn of the event loop: a command must not wait for all of an import


class Events:
    """The receiver of the link's and the PBX's events."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._taking_over = asyncio.Lock()

    async def on_store(self) -> None:
        """Take over changes in the store, tell the terminals that they concern, and pass requests on."""
        async with self._taking_over:  # who comes meanwhile waits until all of it is done
            await self._take_over()

    async def _take_over(self) -> None:
        parts = self._parts
        if parts.store_file.look() is not None:
            return  # a new connection would come to another file
        changed = await parts.directory.refresh()
        parts.site.follow_directory()
        parts.pbx.watch(parts.directory.endpoints)
        if parts.listening is not None:
            parts.listening.add(changed)
            parts.listening.follow()
        self._ask_for_unknown(changed)
        rotated = parts.directory.rotated
        for start in range(0, len(changed), _TOLD_AT_ONCE):
            if start:
                await asyncio.sleep(0)
            self._tell_changed(changed[start : start + _TOLD_AT_ONCE], rotated)
        if parts.health.is_link_up:
            parts.updates.send_again()
        await parts.requests.serve()
        await parts.line_watch.keep()
        await parts.troubles.keep()
        await parts.sightings.keep()

    def _ask_for_unknown(self, changed: tuple[str, ...]) -> None:
        """Have the PBX asked soon about terminals that it has said nothing of."""
        records = map(self._parts.directory.find, changed)
        if self._parts.permissions is not None and any(one is not None and one.is_unconfirmed for one in records):
            self._parts.permissions.hurry()

    def _tell_changed(self, changed: tuple[str, ...], rotated: frozenset[str]) -> None:
        """Tell terminals what has changed for them, and end the connections of those that are out."""
        parts = self._parts
        parts.updates.tell_changed(changed)
        for tid in changed:
            if tid in rotated:
                parts.updates.see_off(tid)
                if parts.listening is not None:
                    parts.listening.forgive(tid)
            if tid in rotated or parts.directory.find(tid) is None:
                parts.line_watch.forget(tid)
                if parts.broker is not None:
                    parts.broker.kick(tid)

    def on_link(self, is_up: bool) -> None:
        """The MQTT link is up or down; earlier messages have been sent or are lost."""
        parts = self._parts
        parts.outbox.flush()
        parts.health.on_link(is_up)
        if is_up:
            self._say_state()
            parts.updates.catch_up()

    async def on_message(self, topic: str, payload: bytes, is_retained: bool, acknowledge: Callable[[], None]) -> None:
        """A message came from a terminal."""
        if not self._parts.pulse.takes(topic, payload):
            await self._parts.router.receive(topic, payload, is_retained, acknowledge)

    def on_batch(self) -> None:
        """What the messages that came together have for the journal is written before anything else is done.

        In the next turn it would wait for whatever came from the PBX meanwhile: half as long again for each command of
        20 that are under way (`make bench-bridge`).
        """
        self._parts.journal.write_now()

    def on_calls_changed(self, endpoint: str) -> None:
        """The PBX's calls of an endpoint changed."""
        parts = self._parts
        parts.running_commands.on_calls(endpoint, {call.ref for call in parts.pbx.calls(endpoint)})
        parts.updates.tell_calls(endpoint)

    def on_progress(self, ref: str, state: str, reason: str | None) -> None:
        """A transfer has progressed."""
        self._parts.running_commands.on_progress(ref, state, reason)

    def on_arrival(self, ref: str, word: str, reason: str | None) -> None:
        """The party that a blind transfer sent away was answered or not, or was seen somewhere."""
        self._parts.running_commands.on_arrival(ref, word, reason)

    def on_availability(self, is_available: bool) -> None:
        """The PBX can be asked now, or no longer."""
        parts = self._parts
        if is_available:
            structlog.get_logger().info("pbx-available")
        else:
            structlog.get_logger().warning("pbx-away")
        parts.health.on_availability(is_available)
        self._say_state()
        for endpoint in parts.running_commands.endpoints() if is_available else ():
            parts.running_commands.on_resync(endpoint, parts.pbx.calls(endpoint))
            parts.updates.tell_calls(endpoint)

    def _say_state(self) -> None:
        self._parts.publisher.say_bridge_state("online" if self._parts.pbx.is_available else "degraded")
