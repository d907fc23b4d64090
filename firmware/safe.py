"""Safe mode: Wi-Fi and MicroPython's own umqtt.simple, nothing more, so that a broken terminal can be reached.

Does not scan keys or transfer calls, does not use the terminal's own MQTT client, and starts no watchdog: Ctrl-C leads
to the REPL at any time. It says hello with the reason and the last crash, every 20 s because the bridge may have been
away, and accepts two signed requests for this start only: reboot and wipe. An error gives one line on the console and
another attempt after 5 s; whoever types something there is told the reason. The lamp is 2 s on and 2 s off, where the
board still has one. Times are ms.
If a broker accepts the connection and says nothing, umqtt.simple waits for ever; the network stack ends that after some
minutes, the reset button at once. This file stays a source, like boot.py and main.py, so it can be repaired in place.
"""

import asyncio
import binascii
import os
import select
import sys
import time
from collections import namedtuple

import esp32
import machine
import network
from micropython import const
from phoneterm import VERSION
from phoneterm.core import messages
from phoneterm.device import settings as stored
from phoneterm.device import tls
from umqtt.simple import MQTTClient

_LOOK_MS = const(100)
_LAMP_MS = const(2000)
_LOOKS_PER_HELLO = const(200)
_RETRY_LOOKS = const(50)
_KEEPALIVE_S = const(60)

Wrapper = namedtuple("Wrapper", ("wrap_socket",))  # what umqtt.simple needs of a TLS context


class Unheard:
    """Takes the cause of waiting, which the console has already."""


def show(reason):
    """Show safe mode as far as the board can; return the board's name, and a function to call at each look."""
    try:
        import board

        if hasattr(board, "on_signal"):
            board.on_signal("safe-mode")
        display = board.make_display()
        if display:
            display.show("safe mode", reason)
            while wait_ms := display.step():
                time.sleep_ms(wait_ms)
        if board.LAMP is None:
            return board.NAME, int
        lamp = machine.Pin(board.LAMP, machine.Pin.OUT)
        return board.NAME, lambda: lamp.value(time.ticks_ms() // _LAMP_MS & 1)
    except Exception as error:  # a missing part must not keep the terminal from being reached
        print("safe mode: no lamp:", error)
        return "unknown", int


def connect(settings, context):
    """Return an MQTTClient of umqtt.simple that is connected; OSError and others when it cannot be.

    Releases before 1.4 would check no certificate: they miss the module ussl, and fail before they send anything.
    """

    def wrap_socket(sock, server_hostname=None):
        return context.wrap_socket(sock, server_hostname=settings.tls_host)  # the address is not always the name

    client = MQTTClient(settings.tid, settings.mqtt_host, settings.mqtt_port, settings.tid, settings.mqtt_password,
                        _KEEPALIVE_S, context and Wrapper(wrap_socket))  # fmt: skip
    client.connect()
    return client


def serve(settings, context, hello, look):
    """Connect, say hello, and return the first order: "reboot" or "wipe"."""
    orders = []

    def obey(topic, payload):
        document = messages.decode(messages.REQUEST, topic.decode(), settings.mac_key, payload)
        if isinstance(document, messages.Rejected):
            print("refused", document.detail)
        elif document["boot"] == hello["boot"] and document["op"] in ("reboot", "wipe"):
            orders.append(document["op"])

    client = connect(settings, context)
    client.set_callback(obey)
    client.subscribe(messages.topic_of(settings.base, settings.tid, messages.REQUEST), 1)
    print("safe mode: connected")
    topic = messages.topic_of(settings.base, settings.tid, messages.HELLO)
    while True:
        client.publish(topic, messages.encode(messages.HELLO, topic, settings.mac_key, hello), False, 1)
        for _ in range(_LOOKS_PER_HELLO):
            if orders:
                client.disconnect()
                return orders[0]
            look()
            client.check_msg()


async def join(settings, look):
    """Return once there is a network and, where certificates are to be checked, the time of day."""
    station = network.WLAN(network.STA_IF)
    if not station.isconnected():
        station.active(True)
        try:
            station.connect(settings.wifi_ssid, settings.wifi_password)
        except OSError:
            pass  # it is joining already, and keeps trying by itself

    async def wait():
        while not station.isconnected():
            look()
            await asyncio.sleep_ms(0)

    if settings.tls == "ca":
        from phoneterm.device.clock import make_wait

        wait = make_wait(wait, station, Unheard, print, settings.time_host)
    await wait()


def run(reason, breadcrumb):
    """Stay in safe mode until a restart is ordered; return only when there are no settings to connect with."""
    name, light = show(reason)
    settings = stored.read(esp32.NVS(stored.NAMESPACE), messages.is_tid)
    context = settings if isinstance(settings, stored.Problem) else tls.make_context(settings)
    if isinstance(context, stored.Problem):
        print(context.sentence)
        return
    hello = {"boot": binascii.hexlify(os.urandom(4)).decode(), "fw": VERSION, "board": name, "wire": [1, 1], "caps": [],
             "safe": reason[:100], "crash": (breadcrumb and breadcrumb.crash) or None}  # fmt: skip

    console = select.poll()
    console.register(sys.stdin.buffer, select.POLLIN)

    def look():
        light()
        time.sleep_ms(_LOOK_MS)
        typed = console.poll(0)
        if typed and typed[0][0].read(1):  # an input that has ended asks nothing
            print("safe mode:", reason)

    order = None
    while not order:
        try:
            asyncio.run(join(settings, look))
            order = serve(settings, context, hello, look)
        except Exception as error:  # umqtt.simple may raise almost anything on a bad answer
            print("safe mode:", type(error).__name__, str(error).replace("\n", " ").strip())
            for _ in range(_RETRY_LOOKS):
                look()
    if order == "wipe":
        from phoneterm.device import wipe

        wipe.erase()
    machine.reset()
