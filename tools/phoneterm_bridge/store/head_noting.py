"""Has the head of the journal's chain logged at intervals, so that it is kept outside of the store. Proves nothing.

Whoever can write the store can cut off the journal's end, and no chain shows that: the log of another machine does, by
`phoneterm journal verify --since HEAD`.
"""

import asyncio
import sqlite3

import sqlalchemy as sa
import structlog

from phoneterm_bridge.store.journal_proof import Head, read_head
from phoneterm_bridge.store.store_trouble import describe_for

_EVERY_S = 900


async def keep_noting(engine: sa.Engine, every_s: float = _EVERY_S) -> None:
    """Log the head now, and whenever it is another one after the interval, for ever."""
    noted: Head | None = None
    while True:
        try:
            head = await asyncio.to_thread(read_head, engine)
        except (sa.exc.DatabaseError, sqlite3.DatabaseError) as error:
            structlog.get_logger().error("journal-head-not-read", why=describe_for(engine, error))
        else:
            if head != noted:
                structlog.get_logger().info("journal-head", head=head.write())
                noted = head
        await asyncio.sleep(every_s)
