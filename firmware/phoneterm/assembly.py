"""Puts the terminal together: board and settings in, a coroutine that is the whole life of the device out.

Does not run it. Needed once: `main.py` gives the memory of this module back, so nothing may keep a function of it.
A missing or wrong setting is one sentence on the console, a signal and a line on the display, and then nothing more:
no reset helps against it.
"""

import binascii
import os
import time
from random import random

import board
import esp32
import machine
import network
from micropython import const

from phoneterm.app import WATCHED, App
from phoneterm.core import messages, signals
from phoneterm.core.backoff import Backoff
from phoneterm.core.debounce import Debouncer
from phoneterm.core.keymap import Keymap, Roles
from phoneterm.core.scanner import Scanner
from phoneterm.core.terminal import Identity, Terminal
from phoneterm.device import settings as stored
from phoneterm.device import tls
from phoneterm.device.event_log import log
from phoneterm.device.hook import Hook
from phoneterm.device.indicator import Indicator
from phoneterm.device.key_matrix import KeyMatrix
from phoneterm.device.mqtt import MqttClient, Timing
from phoneterm.device.mqtt_connection import Broker
from phoneterm.device.mqtt_packets import Will
from phoneterm.device.watchdog import Watchdog
from phoneterm.device.wifi import Wifi

FIRMWARE_VERSION = "0.1.0"
_KEEPALIVE_S = const(15)
_CONNECT_MS = const(10000)  # a TLS handshake on the ESP32 takes up to 3 s of it
_STEADY_MS = const(5000)
_WATCHDOG_MS = const(30000)  # longer than the slowest name look-up and TLS handshake together, which block everything


def make_indicator():
    """Return the Indicator for the board's lamp and buzzer."""
    lamp = buzzer = None
    if board.LAMP is not None:
        lamp = machine.Pin(board.LAMP, machine.Pin.OUT)
    if board.BUZZER is not None:
        buzzer = machine.PWM(machine.Pin(board.BUZZER), freq=1000, duty_u16=0)
    return Indicator(signals, lamp, board.LAMP_ACTIVE, buzzer, getattr(board, "on_signal", None))


def make_scanner():
    """Return the Scanner of the board's keypad."""
    matrix = KeyMatrix(machine.Pin, board.ROWS, board.COLUMNS, board.SETTLE_US, time.sleep_us)
    return Scanner(matrix, Debouncer())


def make_hook():
    """Return the board's Hook, or None."""
    if board.HOOK is None:
        return None
    return Hook(machine.Pin(board.HOOK, machine.Pin.IN, machine.Pin.PULL_UP), board.HOOK_OFF_LEVEL)


def make_terminal(settings):
    """Return the Terminal with a new boot id."""
    boot = binascii.hexlify(os.urandom(4)).decode()
    identity = Identity(settings.tid, settings.base, settings.mac_key, boot, FIRMWARE_VERSION, board.NAME)
    return Terminal(identity, Keymap(board.LEGENDS), Roles(*board.ROLES))


def make_client(app, terminal, settings, wifi, context):
    """Return the MqttClient that talks for this terminal."""
    broker = Broker(
        settings.mqtt_host, settings.mqtt_port, settings.tid, settings.tid, settings.mqtt_password,
        context, settings.tls_host,
    )  # fmt: skip
    filters = messages.topic_filters(settings.base, settings.tid)
    timing = Timing(_KEEPALIVE_S, _CONNECT_MS, _STEADY_MS, Backoff(20, 10000), Backoff(10000, 300000), random)
    wait = wifi.wait_up
    if settings.tls == "ca":
        from phoneterm.device.clock import make_wait

        wait = make_wait(wait, log, settings.time_host)
    return MqttClient(broker, filters, Will(*terminal.will()), timing, app, log, wait)


def show_problem(indicator, display, problem):
    """Say what is wrong in every way the board has; return what goes on saying it, for ever."""
    print(problem.sentence)
    if display:
        display.show("not set up:", problem.key)
    indicator.play("keypad-fault")
    return indicator.run()


def assemble():
    """Return the coroutine to run."""
    indicator = make_indicator()
    display = board.make_display()
    settings = stored.read(esp32.NVS(stored.NAMESPACE), messages.is_tid)
    if isinstance(settings, stored.Problem):
        return show_problem(indicator, display, settings)
    context = tls.make_context(settings)
    if isinstance(context, stored.Problem):
        return show_problem(indicator, display, context)
    terminal = make_terminal(settings)
    watchdog = Watchdog(machine.WDT(timeout=_WATCHDOG_MS), WATCHED)
    app = App(terminal, make_scanner(), indicator, display, make_hook(), watchdog, machine.reset)
    station = network.WLAN(network.STA_IF)
    pauses = Backoff(500, 30000)
    wifi = Wifi(station, settings.wifi_ssid, settings.wifi_password, pauses, random, app.on_network, log)
    return app.run(make_client(app, terminal, settings, wifi, context), wifi)
