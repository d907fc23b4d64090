"""The firmware's client for the link bench: publishes, then stays connected through the tap and prints allocations.

Runs on the MicroPython VM: phoneterm_client.py BROKER_PORT TAP_PORT USER PASSWORD TOPIC FILTER COUNT.
"""

import asyncio
import gc
import sys
import time

from phoneterm.core.backoff import Backoff
from phoneterm.device.mqtt import MqttClient, Timing
from phoneterm.device.mqtt_connection import Broker

_, BROKER_PORT, TAP_PORT, USER, PASSWORD, TOPIC, FILTER, COUNT = sys.argv
IDLE_MS = 8000


class Owner:
    """Takes the client's callbacks and does nothing with them."""

    def on_message(self, topic, payload, is_retained):
        """Take a message."""

    def on_link(self, is_up):
        """Take a change."""

    def on_progress(self):
        """Take a round of progress."""


def make(port):
    """Return a client with its tasks started, timed as in the firmware."""
    broker = Broker("127.0.0.1", port, USER, USER, PASSWORD, None, None)
    timing = Timing(15, 10000, 5000, Backoff(20, 10000), Backoff(10000, 300000), lambda: 0.5)
    client = MqttClient(broker, (FILTER,), None, timing, Owner(), lambda event, detail: None)
    tasks = [asyncio.create_task(task()) for task in (client.receive, client.send, client.ping)]
    return client, tasks


async def run():
    """Publish, then idle, then stay."""
    client, tasks = make(int(BROKER_PORT))
    while not client.is_up:
        await asyncio.sleep_ms(1)
    for _ in range(int(COUNT)):
        started_us = time.ticks_us()
        if not await client.publish(TOPIC, b"0123456789", 1):
            raise OSError("not acknowledged")
        print("publish_us", time.ticks_diff(time.ticks_us(), started_us))
    for task in tasks:
        task.cancel()
    client, _ = make(int(TAP_PORT))
    while not client.is_up:
        await asyncio.sleep_ms(1)
    gc.collect()
    before = gc.mem_alloc()
    await asyncio.sleep_ms(IDLE_MS)
    print("idle_bytes_per_s", (gc.mem_alloc() - before) * 1000 // IDLE_MS)
    print("ready 0")
    await asyncio.sleep(60)


asyncio.run(run())
