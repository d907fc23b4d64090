"""Has the dialled numbers of old journal rows blotted out, once a day. Does not know how that is done.

If it fails (a busy or full disk) that is logged, and the next day it is tried again.
"""

import asyncio
import platform
import sqlite3

import sqlalchemy as sa
import structlog

from phoneterm_bridge.store import wall_clock
from phoneterm_bridge.store.journal_blotting import blot_numbers
from phoneterm_bridge.store.store_trouble import describe_for

_EVERY_S = 24 * 3600
_DAY_MS = 24 * 3600 * 1000


async def keep_forgetting(engine: sa.Engine, days: int) -> None:
    """Blot out the numbers that are older than so many days: now, and every day, for ever."""
    while True:
        try:
            before_ms = wall_clock.now_ms() - days * _DAY_MS
            count = await asyncio.to_thread(blot_numbers, engine, before_ms, f"host {platform.node()}")
            if count:
                structlog.get_logger().info("numbers-blotted-out", commands=count, older_than_days=days)
        except (sa.exc.DatabaseError, sqlite3.DatabaseError) as error:
            structlog.get_logger().error("numbers-not-blotted-out", why=describe_for(engine, error))
        await asyncio.sleep(_EVERY_S)
