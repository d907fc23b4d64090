"""The site's limit on external transfers: keeps its count over a restart, and acts once it is reached.

Does not decide what is external. Reaching a limit is an alert in the log. Reaching the hourly one also revokes external
transfers in the directory (journalled, and sent to all terminals) until an administrator restores them; then the hour
starts over.
"""

import asyncio
import time
from collections.abc import Callable

import sqlalchemy as sa
import structlog

from phoneterm_bridge.policy.limits import HOUR_S, SITE, Limits
from phoneterm_bridge.policy.rules import OUTSIDE_MARK, Policy
from phoneterm_bridge.settings.policy import PolicySettings
from phoneterm_bridge.store import wall_clock
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.live_directory import LiveDirectory
from phoneterm_bridge.store.store_trouble import describe_for
from phoneterm_bridge.store.transfer_ages import read_transfers


class SiteLimit:
    """The limits of one site, in step with its directory; `limits` does the counting."""

    def __init__(
        self,
        settings: PolicySettings,
        engine: sa.Engine,
        directory: LiveDirectory,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_hour = settings.external_per_hour
        self._engine = engine
        self._directory = directory
        self._now_s = now_s
        self._since_ms = 0
        self._revoking: set[asyncio.Task] = set()
        self._settings = settings
        most = (settings.commands_per_minute, settings.external_per_hour, settings.external_at_once)
        self.limits = Limits(*most, self._trip, self._alert)

    async def recall(self, policy: Policy) -> None:
        """Count the external transfers of the last hour, before this start."""
        self._since_ms = self._directory.snapshot.external_since_ms
        now_ms = wall_clock.now_ms()
        found = await asyncio.to_thread(read_transfers, self._engine, now_ms, HOUR_S * 1000, OUTSIDE_MARK)
        now_s = self._now_s()
        outside = (one for one in found if one.is_marked or policy.is_external(one.op, one.number))
        self.limits.recall(now_s - one.age_ms / 1000 for one in outside)

    def follow_directory(self) -> None:
        """Start over if external transfers have been restored."""
        snapshot = self._directory.snapshot
        if snapshot.external_since_ms != self._since_ms:
            self._since_ms = snapshot.external_since_ms
            if not snapshot.is_external_revoked:
                self.limits.restore()
                structlog.get_logger().info("external-transfers-restored")

    async def stop(self) -> None:
        """Wait until the revocation is written."""
        if self._revoking:
            await asyncio.wait(self._revoking)

    def _alert(self, who: str) -> None:
        """Alert the operator of a limit that passes by itself; once, until there is room again."""
        if who == SITE:
            most = self._settings.external_at_once
            structlog.get_logger().warning("site-limit-tripped", limit="external-at-once", most=most)
        else:
            most = self._settings.commands_per_minute
            structlog.get_logger().warning("terminal-limit-tripped", tid=who, limit="commands-per-minute", most=most)

    def _trip(self) -> None:
        structlog.get_logger().warning("site-limit-tripped", limit="external-per-hour", most=self._per_hour)
        task = asyncio.create_task(self._revoke())
        self._revoking.add(task)
        task.add_done_callback(self._revoking.discard)

    async def _revoke(self) -> None:
        directory = Directory(self._engine, "bridge")
        why = f"{self._per_hour} within an hour"
        try:
            await asyncio.to_thread(directory.set_external_revoked, True, why)
        except Exception as error:  # the limit itself goes on refusing for the rest of the hour
            structlog.get_logger().error("external-transfers-not-revoked", why=describe_for(self._engine, error))
