"""Carries out what administrators ask of terminals: identify, reboot and wipe. Keeps nothing for later.

It takes each request from the store once, checks that the terminal is online, journals the request with its author,
and only then publishes it, for the terminal's current start (boot). The answer goes back through the store. A
request is not sent if its terminal is away or it has become too old.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import NamedTuple

import sqlalchemy as sa
import structlog

from phoneterm_bridge.store import requests, wall_clock
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.live_directory import LiveDirectory
from phoneterm_bridge.store.requests import Request
from phoneterm_bridge.terminals.crash_reports import CrashReports
from phoneterm_bridge.terminals.publisher import TerminalPublisher
from phoneterm_bridge.terminals.sessions import Sessions

_WATCHED_S = 30  # longer than the command line waits


class _Told(NamedTuple):
    """A terminal's start that was told to end, and when (monotonic)."""

    tid: str
    boot: str
    at_s: float


class RequestDesk:
    """One bridge's desk; `is_link_up` says whether anything can be published."""

    def __init__(
        self,
        engine: sa.Engine,
        directory: LiveDirectory,
        sessions: Sessions,
        crash_reports: CrashReports,
        publisher: TerminalPublisher,
        is_link_up: Callable[[], bool],
        now_ms: Callable[[], int] = wall_clock.now_ms,
    ) -> None:
        self.now_ms = now_ms
        self._engine = engine
        self._directory = directory
        self._sessions = sessions
        self._crash_reports = crash_reports
        self._publisher = publisher
        self._is_link_up = is_link_up
        self._told: dict[int, _Told] = {}
        self._serving = asyncio.Lock()  # answers to one request must not overtake each other

    async def serve(self) -> None:
        """Carry out new requests, and check which terminals have gone as told."""
        async with self._serving:
            for number, told in tuple(self._told.items()):
                await self._watch(number, told)
            for request in await asyncio.to_thread(requests.read_waiting, self._engine):
                await self._serve_one(request)

    async def _serve_one(self, request: Request) -> None:
        if not await asyncio.to_thread(requests.claim, self._engine, request.number):
            return  # it was withdrawn just now
        word = await self._carry_out(request)
        words = {"tid": request.tid, "op": request.op, "who": request.who, "answer": word}
        structlog.get_logger().info("request", **words)
        await asyncio.to_thread(requests.answer, self._engine, request.number, word)

    async def _carry_out(self, request: Request) -> str:
        """Return the answer; a request is journalled before it is sent."""
        refusal = self._refuse(request)
        if refusal is not None:
            return refusal
        directory = Directory(self._engine, request.who, request.place)
        await asyncio.to_thread(directory.record_request, request.tid, request.op)
        refusal = self._refuse(request)  # writing may have taken a while
        word = self._send(request) if refusal is None else refusal
        if word not in (requests.SENT, requests.QUIET):
            await asyncio.to_thread(directory.record_request, request.tid, f"{request.op} not sent after all: {word}")
        return word

    def _refuse(self, request: Request) -> str | None:
        if not request.is_fresh(self.now_ms()):
            return requests.EXPIRED
        if self._directory.find(request.tid) is None:
            return requests.REVOKED
        if not self._is_link_up():
            return requests.NO_BROKER
        if self._boot_of(request.tid) is None:
            return requests.AWAY
        if request.op == "identify" and self._sessions.live(request.tid) is None:
            return requests.SAFE_MODE
        return None

    def _send(self, request: Request) -> str:
        boot = self._boot_of(request.tid)
        assert boot is not None
        if not self._publisher.say_request(request.tid, f"r{secrets.token_hex(8)}", boot, request.op):
            return requests.NO_BROKER
        if request.op == "wipe" and self._sessions.live(request.tid) is None:
            return requests.QUIET
        if request.op != "identify":
            self._told[request.number] = _Told(request.tid, boot, time.monotonic())
        return requests.SENT

    def _boot_of(self, tid: str) -> str | None:
        """Return the start (boot) in which a terminal can be reached now."""
        session = self._sessions.live(tid)
        return self._crash_reports.boot_in_safe_mode(tid) if session is None else session.boot

    async def _watch(self, number: int, told: _Told) -> None:
        if self._boot_of(told.tid) != told.boot:
            del self._told[number]
            await asyncio.to_thread(requests.answer, self._engine, number, requests.GONE)
        elif time.monotonic() - told.at_s > _WATCHED_S:
            del self._told[number]
