"""Sets the clock from a time server, because the dates of a certificate cannot be checked without the right time.

Does not keep the clock right, and does not ask while it looks right: a chip that was just switched on believes it is
the year 2000. The time server is not authenticated; a forged answer can make an expired certificate valid, and no more.
"""

import asyncio
import time

FIRST_SANE_YEAR = 2025
RETRY_MS = 5000


def make_wait(wait_network, log, time_host=None):
    """Return a coroutine function that waits for a network and the right time; it logs once why it must wait."""

    async def wait_clock():
        is_told = False
        await wait_network()
        while time.localtime()[0] < FIRST_SANE_YEAR:
            try:
                _ask(time_host)
            except (ImportError, OSError) as error:
                if not is_told:
                    is_told = True
                    log("clock-wrong", "no certificate can be checked, no time server answers: %s" % error)
                await asyncio.sleep_ms(RETRY_MS)
            await wait_network()

    return wait_clock


def _ask(time_host):
    """Set the clock; OSError after a second without an answer."""
    import ntptime

    if time_host:
        ntptime.host = time_host
    ntptime.settime()
