"""Waits for the clock with simulated time servers: micropython clock_story.py YEAR ANSWERS TIME_HOST.

Does not judge: prints a JSON list of the resulting year, the servers that were asked, and the log.
ANSWERS is a JSON list of the years that the servers answer in turn; null is no answer. No host is "".
"""

import asyncio
import json
import sys

_MOST_MS = 2000


class Time:
    """The part of `time` that gives the year."""

    year = int(sys.argv[1])

    @staticmethod
    def localtime():
        return (Time.year, 1, 1)


class Ntptime:
    """The module `ntptime`."""

    host = "the stock one"
    answers = json.loads(sys.argv[2])
    asked = []

    @staticmethod
    def settime():
        Ntptime.asked.append(Ntptime.host)
        answer = Ntptime.answers.pop(0)
        if answer is None:
            raise OSError(-202)
        Time.year = answer


async def tell(time_host):
    """Wait for the clock; return the log."""
    sys.modules["time"], sys.modules["ntptime"] = Time, Ntptime
    from phoneterm.device import clock  # only after `time` has been replaced

    logged = []

    async def wait_network():
        logged.append("network")

    clock.RETRY_MS = 1
    wait = clock.make_wait(wait_network, lambda event, detail: logged.append(event), time_host)
    await asyncio.wait_for_ms(wait(), _MOST_MS)
    return logged


logged = asyncio.run(tell(sys.argv[3] or None))
print(json.dumps([Time.year, Ntptime.asked, logged]))
