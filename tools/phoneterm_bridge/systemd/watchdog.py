"""Keeps systemd informed while the bridge runs: its status, and that it is alive. Does not judge the bridge's health.

The watchdog is fed as long as nothing is stuck; otherwise systemd ends the process and starts it again. A missing
broker or PBX is reported as status, and waited out.
"""

import asyncio

from phoneterm_bridge.health.health import Health
from phoneterm_bridge.systemd.service_manager import ServiceManager

_EVERY_S = 5.0
_TIMES_IN_TIME = 3  # how many times the watchdog is fed within its time


async def keep_telling(manager: ServiceManager, health: Health) -> None:
    """Tell systemd the bridge's state, for ever."""
    every_s = _EVERY_S if manager.watchdog_s is None else min(_EVERY_S, manager.watchdog_s / _TIMES_IN_TIME)
    while manager.is_there:
        missing, troubled = health.missing().values(), health.troubled().values()
        words: dict[str, str | int] = {"STATUS": " ".join((*(missing or ("Ready.",)), *troubled))}
        if manager.watchdog_s is not None and health.stuck() is None:
            words["WATCHDOG"] = 1
        manager.say(**words)
        await asyncio.sleep(every_s)
