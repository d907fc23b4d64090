"""Stories about the application: micropython app_stories.py STORY.

Does not judge: a story prints its results to standard output.
"""

import asyncio
import gc
import sys
import time

from app_bench import Bench, OtherSleep
from phoneterm import app as application
from phoneterm.core.actions import Indicate, Log, Publish, Restart, Show


async def keys_faults_and_messages(bench):
    await bench.start()
    bench.scanner.waiting.extend([0x13, 0x03, 0x25, 0x45])
    await bench.until(lambda: len(bench.terminal.heard) == 4)
    bench.app.on_message("t", b"p", True)
    bench.app.on_link(True)
    for row in bench.terminal.heard:
        print(row)


async def stall_and_time(bench):
    terminal, scanner = bench.terminal, bench.scanner

    def hear_stall():
        scanner.has_stalled = False
        return terminal.hear("stall")

    await bench.start()
    terminal.on_stall = hear_stall
    terminal.on_time = lambda elapsed_ms: terminal.hear("time") if elapsed_ms >= 200 else ()
    scanner.has_stalled = True
    time.sleep_ms(300)
    await bench.until(lambda: len(terminal.heard) >= 2)
    print(terminal.heard[:2])  # a busy computer may let much time pass again


async def every_action_in_order(bench):
    terminal, parts = bench.terminal, bench.parts
    await bench.start()
    parts.outcome = False
    terminal.answers["time"] = (
        Publish("a", b"1", 1, False, "ref", 100), Publish("b", b"2", 0, True, None, 100), Indicate("key"),
        Show("one", "two"), Log("event", "detail"),
    )  # fmt: skip
    await bench.until(lambda: terminal.heard)
    await asyncio.sleep_ms(30)
    print(parts.published, parts.played, parts.shown, terminal.heard)


async def publish_that_fails_inside(bench):
    await bench.start()
    bench.parts.outcome = ValueError("number 0123")
    bench.terminal.answers["time"] = (Publish("a", b"1", 1, False, "ref", 100),)
    await bench.until(lambda: bench.terminal.heard)
    await asyncio.sleep_ms(10)
    print(bench.terminal.heard)


async def ten_publishes_at_once(bench):
    heard = bench.terminal.heard
    await bench.start()
    bench.terminal.answers["time"] = tuple(Publish("a", b"", 1, False, n, 100) for n in range(10))
    await bench.until(lambda: len(heard) == 10)
    print(sorted((row[1], row[2]) for row in heard if not row[2]), len(bench.parts.published))


async def mistake_in_the_terminal(bench):
    await bench.start()
    bench.terminal.answers[("link", True)] = ValueError("number 0123")
    bench.app.on_link(True)
    bench.app.on_link(False)
    print(bench.terminal.heard)


async def tasks_that_die(bench):
    await bench.start()
    bench.scanner.waiting.append(OSError("once"))
    await asyncio.sleep_ms(150)
    bench.scanner.waiting.append(0x11)
    await bench.until(lambda: len(bench.terminal.heard) == 2)
    print(bench.terminal.heard, bench.breadcrumb.resets)
    bench.scanner.waiting.extend([OSError("again")] * 5)
    await bench.until(lambda: bench.breadcrumb.resets)
    print(bench.breadcrumb.resets)


async def error_while_a_key_is_taken(bench):
    await bench.start()
    bench.terminal.answers[("key", 3, True)] = MemoryError()
    bench.scanner.waiting.append(0x13)
    await bench.until(lambda: len(bench.terminal.heard) == 2)
    print(bench.terminal.heard)


async def restart_after_a_publish(bench):
    await bench.start()
    bench.terminal.answers["time"] = (Publish("a", b"", 1, False, "last", 100), Restart("requested"))
    await bench.until(lambda: bench.breadcrumb.resets)
    print(bench.terminal.heard)


class Collector:
    """A garbage collector that counts its runs and leaves 1000 bytes in use."""

    used, collections = 1000, 0

    def threshold(self, count):
        pass

    def mem_alloc(self):
        return self.used

    def mem_free(self):
        return 100000  # on a chip this includes memory that the heap may still take from the IDF, so it means nothing

    def collect(self):
        self.collections += 1
        self.used = 1000


async def garbage_during_a_sequence(bench):
    collector = application.gc = Collector()
    await bench.start()
    collector.collections = 0
    bench.terminal.is_sequence_open = True
    collector.used = 1250
    await asyncio.sleep_ms(1100)
    print(collector.collections)
    bench.terminal.is_sequence_open = False
    await bench.until(lambda: collector.collections == 1)
    await asyncio.sleep_ms(1100)
    print(collector.collections)


async def too_little_memory_for_the_link(bench):
    measured = [(2368, 2048, 548)] * 2
    application.measure_idf = lambda: measured.pop(0) if measured else (30000, 20000, 548)
    application.asyncio = OtherSleep(20)
    await bench.start()
    await bench.until(lambda: bench.parts.published)
    (_, fields), *_ = bench.parts.published
    print(bench.terminal.heard, fields["memory_restarts"])


async def too_little_memory_for_a_moment(bench):
    measured = [(2368, 2048, 548), (30000, 20000, 548)] * 2
    application.measure_idf = lambda: measured.pop(0) if measured else (30000, 20000, 548)
    await bench.start()
    await bench.until(lambda: not measured)
    print(bench.terminal.heard)


async def link_that_stands_still(bench):
    app, parts = bench.app, bench.parts
    await bench.start()
    app.on_progress()
    await bench.until(lambda: parts.fed == 1)
    await asyncio.sleep_ms(1100)
    print(parts.fed)
    app.on_progress()
    await bench.until(lambda: parts.fed == 2)
    app.on_network(False)


async def keypad_that_is_not_looked_at(bench):
    app, parts = bench.app, bench.parts
    await bench.start()
    app.on_progress()
    await bench.until(lambda: parts.fed == 1)
    bench.scanner.wait_ms = 1000000
    await asyncio.sleep_ms(20)
    for _ in range(3):
        app.on_progress()
        await asyncio.sleep_ms(1000)
    print(parts.fed <= 2, bench.breadcrumb.notes[-1])


async def collector_without_time(bench):
    app, parts = bench.app, bench.parts

    def on_time(elapsed_ms):
        raise ValueError("stuck")

    def feed():
        parts.fed += 1
        bench.terminal.on_time = on_time  # from the last feed on, after which everything must move again

    parts.feed = feed
    await bench.start()
    app.on_progress()
    await bench.until(lambda: parts.fed == 1)
    app.on_progress()
    await asyncio.sleep_ms(400)
    print(parts.fed, bench.watchdog.feed())


async def tick_that_stands_still(bench):
    app, parts = bench.app, bench.parts
    await bench.start()
    app.on_progress()
    await bench.until(lambda: parts.fed == 1)
    application.asyncio = OtherSleep(100000)
    await asyncio.sleep_ms(1100)  # the sleep that was under way ends
    app.on_progress()
    before = parts.fed
    await asyncio.sleep_ms(2100)
    print(parts.fed - before)  # although all else moves


async def link_that_moves_again(bench):
    await bench.start()
    await bench.until(lambda: bench.breadcrumb.notes == ["link"])
    bench.app.on_progress()
    await bench.until(lambda: bench.parts.fed)
    print(bench.breadcrumb.notes[:2])


async def tasks_that_keep_dying(bench):
    await bench.start()
    bench.scanner.waiting.extend([OSError("no")] * 6)
    await bench.until(lambda: bench.breadcrumb.resets)
    print(bench.breadcrumb.notes[-1])


async def start_with_quick_ticks(bench):
    """Start the application with ticks of 2 ms; return a function that waits until the terminal has heard something."""
    application.asyncio = OtherSleep(2)
    bench.terminal.is_sequence_open = True  # no telemetry
    await bench.start()

    async def heard():
        await bench.until(lambda: bench.terminal.heard)
        told = list(bench.terminal.heard)
        bench.terminal.heard.clear()
        return told

    return heard


async def cause_that_lasts(bench):
    heard = await start_with_quick_ticks(bench)
    bench.terminal.cause = 33
    print(await heard(), len(bench.parts.code), bench.parts.logged)
    bench.parts.logged = "the reason again"
    print(await heard(), bench.parts.logged)
    bench.terminal.cause = 0
    print(await heard(), bench.parts.code)


async def questions_at_the_console(bench):
    looks = []

    def find_cause():
        looks.append(0)
        return bench.terminal.cause

    bench.terminal.find_cause = find_cause
    heard = await start_with_quick_ticks(bench)
    bench.console.typed = b"?"
    await bench.until(lambda: len(looks) > 3)
    print(bench.console.typed)  # nothing is known yet
    for cause in (33, 0):
        bench.terminal.cause = cause
        await heard()  # the news
        await bench.until(lambda: not bench.console.typed)
        await heard()  # the answer
        bench.console.typed = b"x"
    await bench.until(lambda: not bench.console.typed)
    del looks[:]
    await bench.until(lambda: len(looks) > 3)  # and nothing more


async def two_causes(bench):
    heard = await start_with_quick_ticks(bench)
    bench.terminal.cause = 33
    bench.parts.cause = 11
    await heard()
    bench.parts.cause = 22
    await heard()


async def cause_for_a_moment(bench):
    await start_with_quick_ticks(bench)
    causes = [33, None] * 20

    def find_cause():
        return causes.pop() if causes else None

    bench.terminal.find_cause = find_cause
    await bench.until(lambda: not causes)
    print(bench.terminal.heard)


async def cause_without_memory(bench):
    described = application.describe_cause

    def describe(cause):
        application.describe_cause = described
        raise MemoryError

    application.describe_cause = describe
    heard = await start_with_quick_ticks(bench)
    bench.terminal.cause = 33
    print(await heard())
    await heard()


async def unloaded_causes(bench):
    heard = await start_with_quick_ticks(bench)
    bench.terminal.cause = 33
    await heard()
    print([name for name in sys.modules if "causes" in name])


async def run_of_a_minute(bench):
    await bench.start()
    application.asyncio = OtherSleep(1)
    await bench.until(lambda: "settled" in bench.breadcrumb.notes)
    print(bench.breadcrumb.notes)


async def memory_without_the_garbage(bench):
    beyond_bytes = []

    def measure(fields):
        gc.collect()
        beyond_bytes.append(fields["heap_used"] - gc.mem_alloc())
        return Publish("telemetry", b"", 0, False, None, 100)

    bench.terminal.telemetry = measure
    await bench.start()
    while not beyond_bytes:
        bytes(150)  # because everything that runs leaves some garbage, too little to trigger a collection
        await asyncio.sleep_ms(100)
    print(beyond_bytes[0] < 1000)


async def telemetry_during_a_sequence(bench):
    application.asyncio = OtherSleep(20)
    bench.terminal.is_sequence_open = True
    await bench.start()
    await asyncio.sleep_ms(400)  # some 20 ticks
    print(bench.parts.published)
    bench.terminal.is_sequence_open = False
    await bench.until(lambda: bench.parts.published)
    print(len(bench.parts.published))


async def measured_device(bench):
    application.asyncio = OtherSleep(20)
    await bench.start()
    await bench.until(lambda: bench.parts.published)
    fields = bench.parts.published[0][1]
    whole = fields.pop("heap_free") + fields.pop("heap_used")
    print(160000 < whole <= 171 * 1024, sorted(fields.items()))


asyncio.run(globals()[sys.argv[1]](Bench()))
