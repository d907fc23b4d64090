"""chumicro-mqtt for the link bench: the same steps as phoneterm_client.py, driven by its own tick loop.

Runs on the MicroPython VM: chumicro_client.py BROKER_PORT TAP_PORT USER PASSWORD TOPIC FILTER COUNT.
"""

import gc
import sys
import time

from chumicro_mqtt import MQTTClient
from chumicro_timing import ticks_ms

_, BROKER_PORT, TAP_PORT, USER, PASSWORD, TOPIC, FILTER, COUNT = sys.argv
IDLE_MS = 8000


def make(port):
    """Return a client that is connected and subscribed."""
    config = {
        "mqtt.broker.host": "127.0.0.1", "mqtt.broker.port": port, "mqtt.client_id": USER, "mqtt.username": USER,
        "mqtt.password": PASSWORD, "mqtt.keep_alive_seconds": 15,
    }  # fmt: skip
    client = MQTTClient.from_config(config)
    granted = []
    client.subscribe(FILTER, 1, on_subscribe=lambda *_: granted.append(1))
    client.connect()
    turn(client, lambda: granted)
    return client


def turn(client, is_over, pause_us=0):
    """Drive the client until `is_over`."""
    while not is_over():
        now_ms = ticks_ms()
        if client.check(now_ms):
            client.handle(now_ms)
        if pause_us:
            time.sleep_us(pause_us)


def run():
    """Publish, then idle, then stay."""
    client = make(int(BROKER_PORT))
    done = []
    for _ in range(int(COUNT)):
        started_us = time.ticks_us()
        client.publish(TOPIC, b"0123456789", qos=1, on_publish=lambda *_: done.append(1))
        turn(client, lambda: done)
        done.clear()
        print("publish_us", time.ticks_diff(time.ticks_us(), started_us))
    client.disconnect()
    client = make(int(TAP_PORT))
    gc.collect()
    before = gc.mem_alloc()
    started_ms = time.ticks_ms()
    turn(client, lambda: time.ticks_diff(time.ticks_ms(), started_ms) > IDLE_MS, 1000)
    print("idle_bytes_per_s", (gc.mem_alloc() - before) * 1000 // IDLE_MS)
    print("ready 0")
    turn(client, lambda: False, 1000)


run()
