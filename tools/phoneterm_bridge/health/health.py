"""Whether the bridge can do its work at this moment, and what is missing if not. Changes nothing.

"Ready" means that a command keyed now would reach the PBX. "Stuck" means that something hangs and a restart may help;
it does not include a broker or PBX that is away, which the bridge waits for. Times are monotonic seconds.
"""

import asyncio
import time
from collections.abc import Callable

from phoneterm_bridge.health.certificate_watch import CertificateWatch
from phoneterm_bridge.mqtt.pulse import Pulse
from phoneterm_bridge.pbx.port import Pbx
from phoneterm_bridge.permissions.following import PermissionFollower
from phoneterm_bridge.store.store_file import StoreFile
from phoneterm_bridge.terminals.troubles import Troubles

_STORE_UNREAD_S = 5.0
_STUCK_S = 30.0
_LAG_EVERY_S = 0.5
_REFUSED_MEANWHILE = "Until then no transfer begins; those under way can be completed and cancelled."


class Health:
    """The health of one bridge; other parts report to it. certificate: None where the broker has no TLS; permissions:
    None where the store alone says who is multi user aware."""

    def __init__(
        self, pbx: Pbx, pulse: Pulse, troubles: Troubles, now_s: Callable[[], float] = time.monotonic,
        certificate: CertificateWatch | None = None, store_file: StoreFile | None = None,
        permissions: PermissionFollower | None = None,
    ) -> None:  # fmt: skip
        self.now_s = now_s
        self.certificate = certificate
        self._store_file = store_file
        self._permissions = permissions
        self._pbx = pbx
        self.pulse = pulse
        self.troubles = troubles
        self.is_link_up = False
        self.link_losses = 0
        self.pbx_losses = 0
        self.is_stopping = False
        self._store_read_s = now_s()
        self._is_journal_written = True
        self._store_trouble: str | None = None
        self._lag_s = 0.0

    def on_link(self, is_up: bool) -> None:
        """The link to the broker is up, or down."""
        self.link_losses += self.is_link_up and not is_up
        self.is_link_up = is_up
        self.pulse.on_link(is_up)

    def on_availability(self, is_available: bool) -> None:
        """The PBX can be asked, or no longer."""
        self.pbx_losses += not is_available

    def on_store_read(self) -> None:
        """The store has been read just now."""
        self._store_read_s = self.now_s()

    def on_journal(self, is_written: bool) -> None:
        """The last command could be journalled, or not."""
        self._is_journal_written = is_written

    def on_store_trouble(self, why: str | None) -> None:
        """The store cannot be written, or can again."""
        self._store_trouble = why
        self._is_journal_written = self._is_journal_written or why is None

    def missing(self) -> dict[str, str]:
        """Return what is missing to be ready, by name, each with a sentence; empty when the bridge is ready."""
        found = {}
        if self.is_stopping:
            found["bridge"] = "It is stopping and takes no more commands."
        if not self.is_link_up:
            found["broker"] = "There is no connection to the MQTT broker with a subscription."
        elif not self.pulse.is_heard:
            found["broker"] = "The MQTT broker is connected, but no message of the bridge to itself has come back."
        if self.certificate is not None and (failing := self.certificate.failing()):
            found["certificate"] = failing
        if self._pbx.is_login_refused and not self._pbx.is_available:
            found["pbx"] = "The PBX refuses the bridge's login: user name and secret must be the same there and here."
        elif (trouble := self._pbx.trouble) is not None or not self._pbx.is_available:
            found["pbx"] = trouble or "The PBX is away: there is no connection to it."
        if self._store_file is not None and (changed := self._store_file.look()):
            found["store"] = changed
        elif self.now_s() - self._store_read_s > _STORE_UNREAD_S:
            found["store"] = f"The store could not be read for more than {_STORE_UNREAD_S:.0f} seconds."
        elif self._store_trouble is not None:
            found["store"] = f"{self._store_trouble} {_REFUSED_MEANWHILE}"
        elif not self._is_journal_written:
            found["store"] = "The last command could not be journalled, so it was refused."
        return found

    def troubled(self) -> dict[str, str]:
        """Return what is wrong with terminals, by kind, or will be soon, each with a sentence; it is still ready."""
        ending = self.certificate and self.certificate.ending()
        untold = self._permissions and self._permissions.trouble
        found = self.troubles.describe() | ({"certificate": ending} if ending else {})
        return found | ({"multi user aware": untold} if untold else {})

    def stuck(self) -> str | None:
        """Return what hangs, if anything."""
        now_s = self.now_s()
        if now_s - self._store_read_s > _STUCK_S:
            return "store"
        deaf_since_s = self.pulse.deaf_since_s if self.is_link_up else None
        return "broker" if deaf_since_s is not None and now_s - deaf_since_s > _STUCK_S else None

    def take_lag_s(self) -> float:
        """Return the longest delay of the event loop since the last call."""
        lag_s, self._lag_s = self._lag_s, 0.0
        return lag_s

    async def watch_loop(self) -> None:
        """Measure the delay of the event loop, for ever."""
        while True:
            due_s = time.monotonic() + _LAG_EVERY_S
            await asyncio.sleep(_LAG_EVERY_S)
            self._lag_s = max(self._lag_s, time.monotonic() - due_s)
