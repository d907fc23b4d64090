"""Runs one story about the MQTT client on the MicroPython VM: micropython client_lab.py STORY ARGUMENTS.

Does not judge: the story's output goes to standard output, one JSON list in each line, and so does the client's log.
The story is a coroutine function of `mqtt_stories`; it is called with the lab and the arguments, a JSON list.
The environment variable CLIENT_LAB holds JSON: host, port, tid, password, filters, and optionally will, keepalive_s,
connect_ms, steady_ms, and the settings of TLS: tls_ca_path, tls_cert_path, tls_key_path, tls_psk, tls_host.
"""

import asyncio
import json
import os
import sys
import time

import mqtt_stories
from phoneterm.core.backoff import Backoff
from phoneterm.device import settings, tls
from phoneterm.device.mqtt import MqttClient, Timing
from phoneterm.device.mqtt_connection import Broker
from phoneterm.device.mqtt_packets import Will

PATIENCE_MS = 9000


class ClientLab:
    """One client with its tasks, and its output so far."""

    def __init__(self, options):
        self.messages = []
        self.links = []
        self.logged = []
        self.rounds = 0
        self.after_loss = Backoff(20, 200)
        self.after_refusal = Backoff(2000, 8000)
        will = options.get("will")
        timing = Timing(
            options.get("keepalive_s", 15), options.get("connect_ms", 3000), options.get("steady_ms", 5000),
            self.after_loss, self.after_refusal, lambda: 0.5,
        )  # fmt: skip
        broker = Broker(
            options["host"], options["port"], options["tid"], options["tid"], options["password"],
            _context(options), options.get("tls_host"),
        )  # fmt: skip
        self.client = MqttClient(
            broker, options["filters"], will and Will(will[0], will[1].encode()), timing, self, self._log
        )
        self.tasks = {}

    def say(self, *values):
        """Tell the test."""
        _tell("say", *values)

    def start(self):
        """Start the client's tasks."""
        for name in ("receive", "send", "ping"):
            self.tasks[name] = asyncio.create_task(getattr(self.client, name)())

    async def until(self, condition):
        """Wait until a condition holds."""
        started_at = time.ticks_ms()
        while not condition():
            if time.ticks_diff(time.ticks_ms(), started_at) > PATIENCE_MS:
                raise ValueError("what was waited for did not happen")
            await asyncio.sleep_ms(1)

    async def up(self):
        """Start the client and wait until it is up."""
        self.start()
        await self.until(lambda: self.client.is_up)

    async def timed(self, awaitable):
        """Return (result, duration in ms)."""
        started_at = time.ticks_ms()
        result = await awaitable
        return result, time.ticks_diff(time.ticks_ms(), started_at)

    def on_message(self, topic, payload, is_retained):
        """Keep a message."""
        self.messages.append((topic, payload, is_retained))

    def on_link(self, is_up):
        """Keep a change of the link."""
        self.links.append(is_up)

    def on_progress(self):
        """Count a round of the sending task."""
        self.rounds += 1

    def _log(self, event, detail):
        self.logged.append((event, detail))
        _tell("log", event, detail)


def _tell(*values):
    print(json.dumps(values))


def _context(options):
    """Make the context as the firmware does, from the settings of TLS among the options."""
    texts = {key: options.get(key, "") for key in settings.KEYS}
    texts["tls"] = "psk" if options.get("tls_psk") else "ca" if options.get("tls_ca_path") else "off"
    texts["tls_psk"] = bytes.fromhex(texts["tls_psk"])
    context = tls.make_context(settings.Settings(**texts))
    if isinstance(context, settings.Problem):
        raise ValueError(context.sentence)
    return context


def run(story, arguments):
    """Run a story with its arguments."""
    lab = ClientLab(json.loads(os.getenv("CLIENT_LAB")))
    asyncio.run(getattr(mqtt_stories, story)(lab, *json.loads(arguments)))


run(*sys.argv[1:])
