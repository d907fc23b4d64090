"""Waits for the clock of a chip, with the computer's real network: micropython clock_story.py PORT TIME_HOST SHIFT_S.

Does not judge: prints a JSON list of the resulting UTC time, the causes that were told, and the log.
The chip's clock is the computer's, moved by SHIFT_S seconds; setting it moves it. The servers are 127.0.0.1 and
127.0.0.2, the router 127.0.0.3, all on PORT. No time host is "".
"""

import asyncio
import json
import sys
import time

import machine

_MOST_MS = 20000


class Clock:
    """`time` and `machine.RTC` of a chip that can be set."""

    shift_s = int(sys.argv[3])
    mktime, localtime, ticks_ms = time.mktime, time.localtime, time.ticks_ms

    @staticmethod
    def time():
        return time.time() + Clock.shift_s

    def datetime(self, now):
        year, month, day, weekday, hour, minute, second, _ = now
        seconds = time.mktime((year, month, day, hour, minute, second, weekday, 0))
        assert time.localtime(seconds)[6] == weekday
        Clock.shift_s = seconds - time.time()


class Radio:
    """Keeps every cause that is noted."""

    cause = property(None, lambda self, cause: causes.append(cause))


class Station:
    """The radio, which knows the router."""

    @staticmethod
    def ifconfig():
        return ("127.0.0.1", "255.0.0.0", "127.0.0.3", "127.0.0.1")


async def tell(time_host):
    """Wait for the clock; return the causes and the log."""
    from phoneterm.device import clock  # only after the path is known

    clock.time, machine.RTC = Clock, Clock
    clock.PORT, clock.SERVERS = int(sys.argv[1]), ("127.0.0.1", "127.0.0.2")
    clock.NEXT_MS, clock.ROUND_MS, clock.ANSWER_MS = 1, 1, 400
    logged, radio = [], Radio()

    async def wait_network():
        pass

    wait = clock.make_wait(wait_network, Station, radio, lambda *line: logged.append(line), time_host)
    await asyncio.wait_for_ms(wait(), _MOST_MS)
    return logged


causes = []
logged = asyncio.run(tell(sys.argv[2] or None))
print(json.dumps([list(time.localtime(Clock.time())[:6]), causes, logged]))
