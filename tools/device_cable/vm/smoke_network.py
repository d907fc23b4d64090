"""Measures on the board how long it takes to join the Wi-Fi network, to reach the broker, and to set up TLS with it.

Does not log in there. Uses the terminal's own settings, which stay on the board: no line contains one. Prints a line
for each figure: name, value; or "problem" and a sentence.
"""

import asyncio
import gc
import socket
import time

import esp32
import network
from phoneterm.core import messages
from phoneterm.device import settings as stored
from phoneterm.device import tls

_JOIN_MS = 15000
_CONNECT_S = 10


def since(started_ms):
    return time.ticks_diff(time.ticks_ms(), started_ms)


def tell_memory(when):
    """Print how much memory is left to ESP-IDF, now and at the lowest since the start."""
    gc.collect()
    try:
        regions = esp32.idf_heap_info(esp32.HEAP_DATA | 1 << 11)  # what lies inside the chip
    except AttributeError:
        return
    print("idf_free_%s_bytes" % when, sum(region[1] for region in regions))
    print("idf_least_bytes", sum(region[3] for region in regions))


def join(settings):
    """Join the network; return whether it worked."""
    started_ms = time.ticks_ms()
    station = network.WLAN(network.STA_IF)
    station.active(True)
    station.connect(settings.wifi_ssid, settings.wifi_password)
    while not station.isconnected():
        if since(started_ms) > _JOIN_MS:
            print("problem no Wi-Fi after %d ms, status %s" % (_JOIN_MS, station.status()))
            return False
        time.sleep_ms(5)
    print("wifi_ms", since(started_ms))
    print("rssi_dbm", station.status("rssi"))
    tell_memory("joined")
    return True


class Unheard:
    """Takes the cause of waiting, which is printed already."""


async def ready():
    """Return at once: the network is there."""


def connect(settings, context):
    """Reach the broker, and set up TLS if the settings want it."""
    started_ms = time.ticks_ms()
    address = socket.getaddrinfo(settings.mqtt_host, settings.mqtt_port, 0, socket.SOCK_STREAM)[0]
    connection = socket.socket(*address[:3])
    if hasattr(connection, "settimeout"):
        connection.settimeout(_CONNECT_S)
    connection.connect(address[-1])
    print("connect_ms", since(started_ms))
    if context:
        started_ms = time.ticks_ms()
        connection = context.wrap_socket(connection, server_hostname=settings.tls_host)
        print("tls_ms", since(started_ms))
    tell_memory("connected")
    connection.close()


def measure():
    """Do all measurements, until one fails."""
    settings = stored.read(esp32.NVS(stored.NAMESPACE), messages.is_tid)
    context = settings if isinstance(settings, stored.Problem) else tls.make_context(settings)
    if isinstance(context, stored.Problem):
        print("problem", context.sentence)
        return
    if not join(settings):
        return
    if settings.tls == "ca":
        from phoneterm.device.clock import make_wait

        asyncio.run(
            asyncio.wait_for(
                make_wait(ready, network.WLAN(network.STA_IF), Unheard, print, settings.time_host)(), _CONNECT_S
            )
        )
    try:
        connect(settings, context)
    except (OSError, ValueError) as error:
        print("problem the broker cannot be reached: %s" % error)


measure()
