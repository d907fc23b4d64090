"""Puts the terminal together, board and settings in, and runs it.

Does not decide anything at run time; `phoneterm.app` runs what is made here. A missing or wrong setting is one
sentence on the console, a signal and a line on the display, and then nothing: no reset helps against it.
"""

import asyncio
import binascii
import os
import sys
import time

import board
import esp32
import machine
import network
from phoneterm.app import WATCHED, App
from phoneterm.core import messages, signals
from phoneterm.core.backoff import Backoff
from phoneterm.core.debounce import Debouncer
from phoneterm.core.keymap import Keymap, Roles
from phoneterm.core.scanner import Scanner
from phoneterm.core.terminal import Identity, Terminal
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
KEEPALIVE_S = 15
CONNECT_MS = 10000  # a TLS handshake on the ESP32 takes up to 3 s of it
STEADY_MS = 5000
FIRST_SANE_YEAR = 2025  # a chip whose clock was not set starts in 2000
WATCHDOG_MS = 30000  # longer than the slowest name look-up and TLS handshake together, which block everything


def random_fraction():
    """Return a random number from 0 to below 1."""
    return os.urandom(1)[0] / 256


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


def explain(reason):
    """Return why the connection was lost; a certificate is only as good as the clock that checks its dates."""
    year = time.localtime()[0]
    if "certificate" in reason and year < FIRST_SANE_YEAR:
        return "the clock is wrong (year %d), so the broker's certificate cannot be checked" % year
    return reason


def make_client(app, terminal, settings, wifi, context):
    """Return the MqttClient that talks for this terminal."""
    broker = Broker(
        settings.mqtt_host, settings.mqtt_port, settings.tid, settings.tid, settings.mqtt_password,
        context, settings.tls_host,
    )  # fmt: skip
    filters = messages.topic_filters(settings.base, settings.tid)
    timing = Timing(KEEPALIVE_S, CONNECT_MS, STEADY_MS, Backoff(50, 10000), Backoff(10000, 300000), random_fraction)
    return MqttClient(broker, filters, Will(*terminal.will()), timing, app, log, wifi.wait_up, explain)


def show_problem(indicator, display, problem):
    """Say what is wrong in every way the board has, for ever."""
    print(problem.sentence)
    if display:
        display.show("not set up:", problem.key)
    indicator.play("keypad-fault")
    asyncio.run(indicator.run())


def read_settings():
    """Return (Settings, SSLContext or None, Problem or None), and give back the memory of the code that did it."""
    from phoneterm.device import settings, tls

    found = settings.read(esp32.NVS(settings.NAMESPACE), messages.is_tid)
    is_right = isinstance(found, settings.Settings)
    context = tls.make_context(found) if is_right else None
    problem = context if isinstance(context, settings.Problem) else None if is_right else found
    for name in ("settings", "tls"):
        delattr(sys.modules["phoneterm.device"], name)
        del sys.modules["phoneterm.device." + name]
    return found, context, problem


def main():
    """Start the terminal."""
    indicator = make_indicator()
    display = board.make_display()
    settings, context, problem = read_settings()
    if problem:
        return show_problem(indicator, display, problem)
    terminal = make_terminal(settings)
    watchdog = Watchdog(machine.WDT(timeout=WATCHDOG_MS), WATCHED)
    app = App(terminal, make_scanner(), indicator, display, make_hook(), watchdog, machine.reset)
    station = network.WLAN(network.STA_IF)
    pauses = Backoff(500, 30000)
    wifi = Wifi(station, settings.wifi_ssid, settings.wifi_password, pauses, random_fraction, app.on_network, log)
    return asyncio.run(app.run(make_client(app, terminal, settings, wifi, context), wifi))


if __name__ == "__main__":
    if globals().get("IS_SAFE_MODE"):
        print("safe mode: the terminal was not started; remove the file 'safe' and restart")
    else:
        main()
