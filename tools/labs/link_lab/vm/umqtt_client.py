"""umqtt.simple for the link bench: the same steps, with a loop around it that reconnects after an error.

It does not reconnect by itself or notice silence, and its wait for a message blocks. So the loop pings every quarter of
the keepalive, as ours does, and looks for messages every ms.
Runs on the MicroPython VM: umqtt_client.py BROKER_PORT TAP_PORT USER PASSWORD TOPIC FILTER COUNT.
"""

import gc
import sys
import time

from umqtt.simple import MQTTClient

_, BROKER_PORT, TAP_PORT, USER, PASSWORD, TOPIC, FILTER, COUNT = sys.argv
IDLE_MS = 8000
KEEPALIVE_S = 15


def make(port):
    """Return a client that is connected and subscribed."""
    client = MQTTClient(USER, "127.0.0.1", port, USER, PASSWORD, KEEPALIVE_S)
    client.set_callback(lambda topic, payload: None)
    client.connect()
    client.subscribe(FILTER.encode(), 1)
    return client


def stay(client, how_long_ms):
    """Look for messages and ping."""
    started_ms = pinged_ms = time.ticks_ms()
    while how_long_ms is None or time.ticks_diff(time.ticks_ms(), started_ms) < how_long_ms:
        client.check_msg()
        if time.ticks_diff(time.ticks_ms(), pinged_ms) > KEEPALIVE_S * 250:
            pinged_ms = time.ticks_ms()
            client.ping()
        time.sleep_ms(1)


def run():
    """Publish, then idle, then stay."""
    client = make(int(BROKER_PORT))
    for _ in range(int(COUNT)):
        started_us = time.ticks_us()
        client.publish(TOPIC, b"0123456789", qos=1)
        print("publish_us", time.ticks_diff(time.ticks_us(), started_us))
    client.disconnect()
    client = make(int(TAP_PORT))
    gc.collect()
    before = gc.mem_alloc()
    stay(client, IDLE_MS)
    print("idle_bytes_per_s", (gc.mem_alloc() - before) * 1000 // IDLE_MS)
    print("ready 0")
    while True:
        try:
            stay(client, None)
        except OSError:
            client = make(int(TAP_PORT))


run()
