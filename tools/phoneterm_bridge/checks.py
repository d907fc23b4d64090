"""Checks the bridge's surroundings without running it: store, broker, PBX. Changes nothing, but makes the store
if there is none yet.

Each finding is one sentence. The embedded broker is right when its port is free.
"""

import asyncio
from dataclasses import dataclass

from phoneterm.core import messages

from phoneterm_bridge.backends import make_pbx
from phoneterm_bridge.mqtt.connection import MqttConnection, NotConnected
from phoneterm_bridge.pbx_port import PbxRejectedLogin
from phoneterm_bridge.phone_config import make_policy
from phoneterm_bridge.problem import SetupProblem
from phoneterm_bridge.service import address_of, will_of
from phoneterm_bridge.settings import BridgeSettings, BrokerSettings, PbxSettings
from phoneterm_bridge.store.database import open_store

_PBX_TIMEOUT_S = 5


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    is_right: bool
    sentence: str


async def check_all(settings: BridgeSettings) -> list[Finding]:
    """Look at everything, also after something is not right."""
    return [
        _check_store(settings),
        _check_digit_map(settings),
        await _check_broker(settings.broker),
        await _check_pbx(settings.pbx),
    ]


def _check_store(settings: BridgeSettings) -> Finding:
    try:
        open_store(settings.store.path).dispose()
    except SetupProblem as problem:
        return Finding(False, str(problem))
    return Finding(True, f"The store {settings.store.path} can be used.")


def _check_digit_map(settings: BridgeSettings) -> Finding:
    try:
        make_policy(settings.phones, settings.policy)
    except SetupProblem as problem:
        return Finding(False, str(problem))
    return Finding(True, "The digit map is right.")


async def _check_broker(settings: BrokerSettings) -> Finding:
    where = f"{settings.host}:{settings.port}"
    if settings.embedded:
        return await _check_port(settings, where)
    connection = MqttConnection(
        address_of(settings), messages.bridge_filter(settings.base), will_of(settings.base), _ignore
    )
    try:
        await connection.open()
    except NotConnected as error:
        hint = "broker.host, broker.port, broker.username and broker.password say where and how"
        return Finding(False, f"The broker {where} cannot be used: {error}; {hint}.")
    finally:
        await connection.close()
    return Finding(True, f"The broker {where} lets the bridge in.")


async def _check_port(settings: BrokerSettings, where: str) -> Finding:
    try:
        server = await asyncio.start_server(lambda reader, writer: writer.close(), settings.host, settings.port)
    except OSError as error:
        return Finding(False, f"The embedded broker cannot listen at {where} ({error.strerror}); see broker.port.")
    server.close()
    await server.wait_closed()
    return Finding(True, f"The embedded broker can listen at {where}.")


async def _check_pbx(settings: PbxSettings) -> Finding:
    where = f"{settings.kind} at {settings.host}:{settings.port}"
    pbx = make_pbx(settings)
    waiting = _Waiting()
    pbx.listen(waiting)
    try:
        await pbx.start()
        await asyncio.wait_for(waiting.is_there.wait(), _PBX_TIMEOUT_S)
    except PbxRejectedLogin as error:
        return Finding(False, f"{error} (pbx.username and pbx.secret).")
    except TimeoutError:
        return Finding(False, f"The PBX {where} does not answer; pbx.host and pbx.port say where it is.")
    finally:
        await pbx.stop()
    return Finding(True, f"The PBX {where} can be asked.")


async def _ignore(topic: str, payload: bytes, is_retained: bool) -> None:
    pass


class _Waiting:
    """Waits for the PBX to be available."""

    def __init__(self) -> None:
        self.is_there = asyncio.Event()

    def on_calls_changed(self, endpoint: str) -> None:
        """Nobody wants to know."""

    def on_progress(self, ref: str, state: str, reason: str | None) -> None:
        """Nobody wants to know."""

    def on_arrival(self, ref: str, reason: str | None) -> None:
        """Nobody wants to know."""

    def on_availability(self, is_available: bool) -> None:
        """The PBX is there, or away again."""
        if is_available:
            self.is_there.set()
