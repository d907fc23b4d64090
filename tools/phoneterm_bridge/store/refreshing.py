"""Keeps the bridge in step with its store: refreshes several times a second. Does not know what is in the store.

If the store cannot be read (a busy or full disk), this is logged once when it begins and once when it is over. Until
then the bridge goes on with what it knows.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

EVERY_S = 0.25


async def keep_refreshing(
    refresh: Callable[[], Awaitable[None]], on_read: Callable[[], None], every_s: float = EVERY_S,
    explain: Callable[[BaseException], str] = repr,
) -> None:  # fmt: skip
    """Call `refresh` for ever, and `on_read` each time it has succeeded; `explain` says why it has not."""
    is_told = False
    while True:
        await asyncio.sleep(every_s)
        try:
            await refresh()
        except Exception as error:
            if not is_told:
                is_told = True
                structlog.get_logger().error("directory-not-read", why=explain(error))
            continue
        on_read()
        if is_told:
            is_told = False
            structlog.get_logger().info("directory-read-again")
