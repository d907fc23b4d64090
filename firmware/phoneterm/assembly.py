"""Puts the terminal together: takes board and settings, and returns a coroutine that runs the device for ever.

Does not run it. `main.py` frees the memory of this module after use, so nothing may keep a function of it.
A missing or wrong setting gives one sentence on the console, a signal and a line on the display. The device then does
nothing more, because a reset would not help.
"""

import asyncio
import binascii
import os
import select
import sys
import time
from random import random

import board
import esp32
import machine
import network
from micropython import const

from phoneterm import VERSION, app
from phoneterm.core import backoff, debounce, keymap, messages, scanner, signals, terminal
from phoneterm.device import (
    config_reader,
    hook,
    indicator,
    key_matrix,
    key_sampler,
    mqtt,
    mqtt_connection,
    mqtt_packets,
    tls,
    watchdog,
    wifi,
)  # fmt: skip
from phoneterm.device import (
    settings as stored,
)
from phoneterm.device.event_log import log

_KEEPALIVE_S = const(15)
_CONNECT_MS = const(10000)  # a TLS handshake on the ESP32 takes up to 3 s of it
_STEADY_MS = const(5000)
_KEYPAD_TIMER = const(0)  # every chip of the family has it
_SAID_AGAIN_LOOKS = const(60)  # of a second each
_WATCHDOG_MS = const(30000)  # longer than the slowest name look-up (12 s) and TLS handshake, which block everything


def make_indicator():
    """Return the Indicator for the board's lamp and buzzer."""
    lamp = buzzer = None
    if board.LAMP is not None:
        lamp = machine.Pin(board.LAMP, machine.Pin.OUT)
    if board.BUZZER is not None:
        buzzer = machine.PWM(machine.Pin(board.BUZZER), freq=1000, duty_u16=0)
    return indicator.Indicator(signals, lamp, board.LAMP_ACTIVE, buzzer, getattr(board, "on_signal", None))


def make_sampler():
    """Return the KeySampler of the board's keypad."""
    matrix = key_matrix.KeyMatrix(machine.Pin, board.ROWS, board.COLUMNS, board.SETTLE_US, time.sleep_us)
    keypad = scanner.Scanner(matrix, debounce.Debouncer())
    return key_sampler.KeySampler(keypad, machine.Timer(_KEYPAD_TIMER), time, asyncio.ThreadSafeFlag())


def make_hook():
    """Return the board's Hook, or None."""
    if board.HOOK is None:
        return None
    return hook.Hook(machine.Pin(board.HOOK, machine.Pin.IN, machine.Pin.PULL_UP), board.HOOK_OFF_LEVEL)


def make_screen(display):
    """Return the Screen that draws on the board's display, or None without one."""
    if not display:
        return None
    from phoneterm.device.screen import Screen

    return Screen(display)


def make_console():
    """Return a poll of the console's input."""
    console = select.poll()
    console.register(sys.stdin.buffer, select.POLLIN)
    return console


def make_terminal(settings, crash):
    """Return the Terminal with a new boot id; `crash` says how the last run crashed, if it did."""
    boot = binascii.hexlify(os.urandom(4)).decode()
    identity = terminal.Identity(
        settings.tid, settings.base, settings.mac_key, boot, VERSION, board.NAME, crash or None
    )  # fmt: skip
    roles = keymap.Roles(*board.ROLES)
    return terminal.Terminal(identity, keymap.Keymap(board.LEGENDS), roles, config_reader.read_config)


def make_client(application, will, settings, radio, context):
    """Return the MqttClient that talks for this terminal on the network of `radio`.

    Only TLS and the look-up of a name block, so a terminal without them connects at once.
    """
    broker = mqtt_connection.Broker(
        settings.mqtt_host, settings.mqtt_port, settings.tid, settings.tid, settings.mqtt_password,
        context, settings.tls_host,
    )  # fmt: skip
    filters = messages.topic_filters(settings.base, settings.tid)
    pauses = backoff.Backoff(20, 10000), backoff.Backoff(10000, 300000)
    timing = mqtt.Timing(_KEEPALIVE_S, _CONNECT_MS, _STEADY_MS, *pauses, random)
    is_blocking = context or settings.mqtt_host.strip("0123456789.")
    wait = application.wait_network if is_blocking else radio.wait_up
    if settings.tls == "ca":
        from phoneterm.device.clock import make_wait

        wait = make_wait(wait, network.WLAN(network.STA_IF), radio, log, settings.time_host)
    return mqtt.MqttClient(broker, filters, mqtt_packets.Will(*will), timing, application, log, wait)


async def keep_saying(sentence):
    """Print a sentence every minute, and whenever somebody types something."""
    console = make_console()
    while True:
        for _ in range(_SAID_AGAIN_LOOKS):
            await asyncio.sleep(1)
            typed = console.poll(0)
            if typed and typed[0][0].read(1):
                break
        print(sentence)


def show_problem(lights, display, problem):
    """Say what is wrong in every way that the board has; return a coroutine that goes on doing so for ever."""
    print(problem.sentence)
    if display:
        display.show("not set up:", problem.key)
        while wait_ms := display.step():
            time.sleep_ms(wait_ms)
    lights.play("keypad-fault")
    return asyncio.gather(lights.run(), keep_saying(problem.sentence))


def assemble(breadcrumb):
    """Return the coroutine to run; `breadcrumb` knows how the last run ended and records how this one ends."""
    lights = make_indicator()
    display = board.make_display()
    settings = stored.read(esp32.NVS(stored.NAMESPACE), messages.is_tid)
    if isinstance(settings, stored.Problem):
        return show_problem(lights, display, settings)
    context = tls.make_context(settings)
    if isinstance(context, stored.Problem):
        return show_problem(lights, display, context)
    phone = make_terminal(settings, breadcrumb.crash)
    dog = watchdog.Watchdog(machine.WDT(timeout=_WATCHDOG_MS), app.WATCHED)
    application = app.App(
        phone, make_sampler(), lights, make_screen(display), make_hook(), dog, breadcrumb, make_console()
    )  # fmt: skip
    station = network.WLAN(network.STA_IF)
    radio = wifi.Wifi(
        station, settings.wifi_ssid, settings.wifi_password, random, application.on_network, log
    )  # fmt: skip
    return application.run(make_client(application, phone.will(), settings, radio, context), radio)
