"""The application with a terminal, a client and a keypad that a story controls.

Does not judge: a story prints its results, and the test reads them.
"""

import asyncio
import time

import machine
from phoneterm import app as application
from phoneterm.core.actions import Publish
from phoneterm.device.key_sampler import KeySampler
from phoneterm.device.watchdog import Watchdog

_PATIENCE_MS = 6000


class Terminal:
    """Records every call, and answers with the actions or the error in `answers`."""

    is_sequence_open = False
    country = "us"
    cause = None

    def __init__(self):
        self.heard = []
        self.answers = {}

    def hear(self, *what):
        """Record a call, and return its answer."""
        self.heard.append(what)
        answer = self.answers.get(what, ())
        if isinstance(answer, Exception):
            raise answer
        return answer

    def on_time(self, elapsed_ms):
        return self.answers.pop("time", ())

    def on_key(self, index, is_pressed):
        return self.hear("key", index, is_pressed)

    def on_stall(self):
        return self.hear("stall")

    def find_cause(self):
        return self.cause

    def on_cause(self, lines):
        return self.hear("cause", lines)

    def on_keypad_fault(self, index, is_faulty):
        return self.hear("fault", index, is_faulty)

    def on_hook(self, is_off_hook):
        return self.hear("hook", is_off_hook)

    def on_link(self, is_up):
        return self.hear("link", is_up)

    def on_message(self, topic, payload):
        return self.hear("message", topic, payload)

    def on_published(self, ref, is_acknowledged):
        return self.hear("published", ref, is_acknowledged)

    def counters(self):
        return {"dropped": 1}

    def telemetry(self, fields):
        return Publish("telemetry", fields, 0, False, None, 100)


class Scanner:
    """Returns the changes in `waiting`, or raises an error among them; its gaps are always 2 ms."""

    wait_ms = 1
    has_stalled = False

    def __init__(self):
        self.changes = bytearray(4)
        self.waiting = []

    def poll(self, elapsed_us):
        if self.waiting and isinstance(self.waiting[0], Exception):
            raise self.waiting.pop(0)
        count = len(self.waiting)
        for index in range(count):
            self.changes[index] = self.waiting.pop(0)
        return count

    @property
    def gaps(self):
        return self

    def percentile_ms(self, percent):
        return 2

    def longest_ms(self):
        return 2

    def clear(self):
        pass


class Parts:
    """Everything else that the application joins: indicator, screen, client, Wi-Fi and watchdog timer in one."""

    dropped = unexpected = cause = 0
    logged = "the reason"

    def __init__(self):
        self.played, self.shown, self.published, self.fed, self.code = [], [], [], 0, None
        self.outcome = True
        self.country = None

    def play(self, signal):
        self.played.append(signal)

    def explain(self, code):
        self.code = code

    def show(self, line1, line2):
        self.shown.append((line1, line2))

    async def publish(self, topic, payload, qos, retain, deadline_ms):
        self.published.append((topic, payload))
        await asyncio.sleep_ms(20)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def drop(self, reason, is_refused=False):
        print("dropped:", reason)
        return True

    def feed(self):
        self.fed += 1

    def rssi(self):
        return -50

    async def run(self):
        await asyncio.sleep(100)

    receive = send = ping = run


class Console:
    """A console, and the poll of its input: `typed` is what a story has typed there and nobody has taken."""

    typed = b""

    def poll(self, ms):
        return [(self, 1)] if self.typed else []

    def read(self, count):
        taken, self.typed = self.typed[:count], self.typed[count:]
        return taken


class Breadcrumb:
    """Keeps its records, and counts the restarts."""

    def __init__(self):
        self.notes = []
        self.resets = 0

    def mark_running(self, trouble):
        self.notes.append(trouble)

    def settle(self):
        self.notes.append("settled")

    def leave(self, crash=""):
        self.resets += 1
        self.notes.append(("left", crash))


class OtherSleep:
    """asyncio, whose sleeps of a second (the ticks) last `tick_ms`."""

    def __init__(self, tick_ms):
        self._tick_ms = tick_ms

    async def sleep_ms(self, ms):
        await asyncio.sleep_ms(self._tick_ms if ms == 1000 else ms)

    def __getattr__(self, name):
        return getattr(asyncio, name)


class Bench:
    """The application and all its parts."""

    def __init__(self):
        self.terminal, self.scanner, self.parts, self.breadcrumb = Terminal(), Scanner(), Parts(), Breadcrumb()
        self.watchdog = Watchdog(self.parts, application.WATCHED)
        sampler = KeySampler(self.scanner, machine.Timer(0), time, asyncio.ThreadSafeFlag())
        self.console = Console()
        self.app = application.App(
            self.terminal, sampler, self.parts, self.parts, None, self.watchdog, self.breadcrumb, self.console
        )

    async def start(self):
        """Start the application, which runs until the story ends."""
        self.life = asyncio.create_task(self.app.run(self.parts, self.parts))
        await asyncio.sleep_ms(5)

    async def until(self, condition):
        """Wait until a condition holds."""
        for _ in range(_PATIENCE_MS):
            if condition():
                return
            await asyncio.sleep_ms(1)
        raise ValueError("what was waited for did not happen")
