"""Stories about the Wi-Fi supervisor: micropython wifi_stories.py STORY.

Does not judge: a story prints its results to standard output, and so does the supervisor's log.
"""

import asyncio
import sys

from phoneterm.device import wifi

_PATIENCE_MS = 3000


class Radio:
    """Keeps its last reason until there is an address, and retries by itself once told to connect, like the port."""

    def __init__(self):
        self.asked = []
        self.number = 1000
        self.attempt = None

    def active(self, is_active):
        self.asked.append("active")

    def connect(self, ssid, password):
        self.asked.append((ssid, password))
        self.on_connect()

    def disconnect(self):
        if self.attempt:
            self.attempt.cancel()

    def isconnected(self):
        return self.number == 1010

    def status(self, what=None):
        return -61 if what else self.number

    def on_connect(self):
        self.begin(0)

    def begin(self, lasts_ms, number=1010):
        self.attempt = asyncio.create_task(self.end(lasts_ms, number))

    async def end(self, lasts_ms, number):
        await asyncio.sleep_ms(lasts_ms)
        self.number = number


class Bench:
    """A radio and its supervisor; `changes` are those of the network."""

    def __init__(self):
        wifi.RENEW_MS, wifi.SILENT_MS, wifi.REASON_MS, wifi.JOIN_LOOK_MS, wifi.LOOK_MS = 400, 250, 100, 5, 5
        self.radio = Radio()
        self.changes = []
        self.station = wifi.Wifi(self.radio, "lab", "pw", lambda: 0.5, self.changes.append, print)

    async def until(self, condition):
        for _ in range(_PATIENCE_MS):
            if condition():
                return
            await asyncio.sleep_ms(1)
        raise ValueError("what was waited for did not happen")

    async def tell(self, story):
        """Start the supervisor, and run a story about it."""
        life = asyncio.create_task(self.station.run())
        await story(self)
        life.cancel()


async def lost_network(bench):
    radio = bench.radio
    await bench.station.wait_up()
    print(bench.station.rssi())
    radio.begin(60)
    radio.number = 1001
    await bench.until(lambda: len(bench.changes) == 2)
    print(bench.station.cause)
    await bench.until(lambda: len(bench.changes) == 3)
    print(bench.station.cause, bench.changes, radio.asked)


async def slow_attempt(bench):
    bench.radio.number = 201
    bench.radio.on_connect = lambda: bench.radio.begin(250)
    await bench.until(lambda: bench.station.cause)
    print(bench.station.cause)
    await bench.station.wait_up()
    print(bench.station.cause, bench.radio.asked)


async def reason_that_is_over_in_time(bench):
    bench.radio.number = 201
    bench.radio.on_connect = lambda: bench.radio.begin(20)
    wifi.REASON_MS = 5000
    causes = set()
    await bench.until(lambda: causes.add(bench.station.cause) or bench.changes)
    print(causes)


async def wrong_password(bench):
    radio = bench.radio
    radio.on_connect = lambda: radio.begin(20, 202)
    await bench.until(lambda: len(radio.asked) == 3)
    print(bench.station.cause)
    radio.on_connect = lambda: radio.begin(20)
    await bench.until(lambda: bench.changes)
    print(bench.changes, bench.station.rssi(), len(radio.asked))


async def silent_radio(bench):
    radio = bench.radio
    radio.on_connect = lambda: None
    radio.number = 1001
    await bench.until(lambda: bench.station.cause)
    print(bench.station.cause, len(radio.asked))
    await bench.until(lambda: len(radio.asked) == 3)
    radio.on_connect = lambda: radio.begin(0)
    await bench.station.wait_up()


async def unsuitable_network(bench):
    bench.radio.on_connect = lambda: bench.radio.begin(0, 211)
    await bench.until(lambda: bench.station.cause)
    print(bench.station.cause)


async def error_of_the_radio(bench):
    radio = bench.radio

    def fail():
        radio.on_connect = lambda: radio.begin(0)
        raise OSError("Wifi Internal State Error")

    radio.on_connect = fail
    await bench.station.wait_up()


bench = Bench()
asyncio.run(bench.tell(globals()[sys.argv[1]]))
