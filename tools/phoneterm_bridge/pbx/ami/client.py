"""Keeps one AMI login up: connects, notices a connection that is up but deaf, and connects again.

Does not know calls or transfers, and repeats nothing that was asked on a lost connection. Times are in seconds.
"""

import asyncio
import contextlib
import random
import ssl
from collections.abc import Callable
from typing import Protocol

import structlog

from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.ami.connection import (
    ACTION_S,
    AmiConnection,
    Headers,
    NotConnected,
    OutcomeUnknown,
    ShuttingDown,
    open_connection,
)
from phoneterm_bridge.pbx.ami.refused import AmiRefused
from phoneterm_bridge.pbx.ami.settings import AmiSettings
from phoneterm_bridge.pbx.ami.trouble import describe_away
from phoneterm_bridge.pbx.port import PbxRejectedLogin

CONNECT_S = 5.0
PING_EVERY_S = 5.0
BACK_OFF_FIRST_S = 0.1
BACK_OFF_MOST_S = 15.0
_REFUSED = "pbx-rejected-login"


class AmiListener(Protocol):
    """The receiver of the client's events. `on_disconnected` and `on_event` must not block."""

    async def on_connected(self) -> None:
        """Logged in: events come and actions can be asked."""

    def on_disconnected(self) -> None:
        """The connection is gone; `on_connected` has been called before."""

    def on_event(self, event: Message) -> None:
        """An event came that belongs to no list."""


class AmiClient:
    """A login that is kept up from `start` to `stop`."""

    def __init__(
        self,
        settings: AmiSettings,
        listener: AmiListener,
        ping_every_s: float = PING_EVERY_S,
        on_readiness: Callable[[bool], None] = lambda is_ready: None,
    ) -> None:
        """Keep the settings; nothing is connected yet.

        on_readiness: called with False when the PBX is about to end and refuses every action, although its events still
        come, and with True when it takes actions again on the same connection.
        """
        self._on_readiness = on_readiness
        self._is_ready = True
        self._settings = settings
        self._where = {"host": settings.host, "port": settings.port}
        self._listener = listener
        self._ping_every_s = ping_every_s
        self._connection: AmiConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self.trouble: str | None = None  # why there is no login although the PBX is there, as a sentence
        self._told: str | None = None  # the trouble that was logged last: each one is logged once, until it is over

    @property
    def is_login_refused(self) -> bool:
        """Say whether the last try ended because the PBX refused the login."""
        return self._told == _REFUSED

    async def start(self) -> None:
        """Connect, and stay connected in the background; returns after the first try, successful or not.

        PbxRejectedLogin when the PBX refused the login in that try.
        """
        first_try: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._keep_connected(first_try), name="ami")
        try:
            await first_try
        except PbxRejectedLogin:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Disconnect; no event comes after this returns."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def log_in_anew(self) -> None:
        """Give up the present connection, if there is one: a login has the rights that it had when it began."""
        if self._connection is not None:
            self._connection.close()

    async def ask(self, action: str, headers: Headers = (), deadline_s: float = ACTION_S) -> Message:
        """Send one action and return its answer; NotConnected or OutcomeUnknown when there is none."""
        try:
            return await self._connected().ask(action, headers, deadline_s)
        except ShuttingDown as error:
            self._note_readiness(False, str(error))
            raise

    async def ask_list(self, action: str, headers: Headers = (), deadline_s: float = ACTION_S) -> list[Message]:
        """Send one action that answers with a list and return the list; raises as `ask` does."""
        try:
            return await self._connected().ask_list(action, headers, deadline_s)
        except ShuttingDown as error:
            self._note_readiness(False, str(error))
            raise

    def _note_readiness(self, is_ready: bool, reason: str = "") -> None:
        """Tell it when the PBX begins to refuse everything, and when it no longer does."""
        if is_ready == self._is_ready:
            return
        self._is_ready = is_ready
        if not is_ready:
            structlog.get_logger().warning("pbx-shutting-down", **self._where, reason=reason)
        self._on_readiness(is_ready)

    def _connected(self) -> AmiConnection:
        if self._connection is None:
            raise NotConnected("there is no connection to the PBX")
        return self._connection

    async def _keep_connected(self, first_try: "asyncio.Future[None]") -> None:
        back_off_s = BACK_OFF_FIRST_S
        while True:
            try:
                await self._connect_and_serve(first_try)
                self._told = "pbx-not-there"  # the listener was told when the connection ended
                back_off_s = BACK_OFF_FIRST_S
            except PbxRejectedLogin as rejected:
                if not first_try.done():
                    first_try.set_exception(rejected)
                    return
                self._log_once(_REFUSED, str(rejected))
                back_off_s = BACK_OFF_MOST_S
            except AmiRefused as refused:
                self._log_once("pbx-refuses", describe_away(refused, self._settings))
                back_off_s = min(back_off_s * 2, BACK_OFF_MOST_S)  # the login may still be in use by one that has ended
            except (OSError, TimeoutError, NotConnected, OutcomeUnknown) as away:
                self._log_once("pbx-not-there", describe_away(away, self._settings))
                if not isinstance(away, ssl.SSLError | ShuttingDown):
                    self.trouble = None  # it is away, and that is all there is to it
                back_off_s = min(back_off_s * 2, BACK_OFF_MOST_S)
            except Exception as error:  # a mistake of ours must not leave the bridge disconnected for good
                structlog.get_logger().error("pbx-connection-broke", **self._where, error=repr(error))
                back_off_s = min(back_off_s * 2, BACK_OFF_MOST_S)
            if not first_try.done():
                first_try.set_result(None)
            await asyncio.sleep(back_off_s * random.uniform(0.5, 1.0))  # noqa: S311  to spread, not to hide

    def _log_once(self, event: str, reason: str) -> None:
        """Log a trouble, once for as long as it is the same."""
        self.trouble = reason
        if event != self._told:
            self._told = event
            structlog.get_logger().warning(event, **self._where, reason=reason)

    async def _connect_and_serve(self, first_try: "asyncio.Future[None]") -> None:
        """Connect, log in and serve until the connection ends; raises if it never got that far."""
        async with asyncio.timeout(CONNECT_S):
            connection = await open_connection(self._settings, self._listener.on_event)
        try:
            await connection.log_in(self._settings)
            self._connection = connection
            self._is_ready = True
            await self._listener.on_connected()
            self._told = self.trouble = None
            if not first_try.done():
                first_try.set_result(None)
            await self._ping_until_closed(connection)
        finally:
            was_serving = self._connection is not None
            self._connection = None
            connection.close()
            if was_serving:
                self._listener.on_disconnected()
            if connection.failure is not None:
                raise connection.failure

    async def _ping_until_closed(self, connection: AmiConnection) -> None:
        """Wait until the connection is closed or does not answer a ping."""
        while connection.is_open:
            closed = await connection.wait_closed(self._ping_every_s)
            if closed:
                return
            try:
                await connection.ask("Ping")
                self._note_readiness(True)
            except ShuttingDown as error:
                self._note_readiness(False, str(error))
            except (NotConnected, OutcomeUnknown):
                return
