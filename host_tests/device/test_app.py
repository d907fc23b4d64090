"""The application on the real MicroPython VM, with a terminal, a client and a keypad that do what the story says."""

import os
import subprocess
import textwrap
from pathlib import Path

from virtual_phone import vm

_STORY = """
import asyncio
import machine
import time
from phoneterm import app as application
from phoneterm.core.actions import Indicate, Log, Publish, Restart, Show
from phoneterm.device.key_sampler import KeySampler
from phoneterm.device.watchdog import Watchdog

class Terminal:
    is_sequence_open = False
    country = "us"

    def __init__(self):
        self.heard = []
        self.answers = {}

    def _note(self, *what):
        self.heard.append(what)
        answer = self.answers.get(what, ())
        if isinstance(answer, Exception):
            raise answer
        return answer

    def on_time(self, elapsed_ms):
        return self.answers.pop("time", ())

    def on_key(self, index, is_pressed):
        return self._note("key", index, is_pressed)

    def on_stall(self):
        return self._note("stall")

    def on_memory_short(self):
        return self._note("memory short")

    def on_keypad_fault(self, index, is_faulty):
        return self._note("fault", index, is_faulty)

    def on_hook(self, is_off_hook):
        return self._note("hook", is_off_hook)

    def on_link(self, is_up):
        return self._note("link", is_up)

    def on_message(self, topic, payload):
        return self._note("message", topic, payload)

    def on_published(self, ref, is_acknowledged):
        return self._note("published", ref, is_acknowledged)

    def counters(self):
        return {"dropped": 1}

    def telemetry(self, fields):
        return Publish("telemetry", fields, 0, False, None, 100)

class Scanner:
    wait_ms = 1
    has_stalled = False
    changes = bytearray(4)
    waiting = []

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
    dropped = unexpected = 0

    def __init__(self):
        self.played, self.shown, self.published, self.resets, self.fed = [], [], [], 0, 0
        self.outcome = True
        self.country = None

    def play(self, signal):
        self.played.append(signal)

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

class Breadcrumb:
    def __init__(self):
        self.notes = []

    def mark_running(self, trouble):
        self.notes.append(trouble)

    def settle(self):
        self.notes.append("settled")

    def leave(self, crash=""):
        parts.resets += 1
        self.notes.append(("left", crash))

terminal, scanner, parts, breadcrumb = Terminal(), Scanner(), Parts(), Breadcrumb()
watchdog = Watchdog(parts, application.WATCHED)
sampler = KeySampler(scanner, machine.Timer(0), time, asyncio.ThreadSafeFlag())
app = application.App(terminal, sampler, parts, parts, None, watchdog, breadcrumb)

async def until(condition):
    for _ in range(6000):
        if condition():
            return
        await asyncio.sleep_ms(1)
    raise ValueError("what was waited for did not happen")

async def main():
    asyncio.create_task(app.run(parts, parts))
    await asyncio.sleep_ms(5)
    await story()

"""

# Two regions: total, free, largest free block, least ever free.
_ESP32 = """
HEAP_DATA = 4

def idf_heap_info(capabilities):
    assert capabilities == HEAP_DATA | 1 << 11  # MALLOC_CAP_INTERNAL
    return [(80000, 30000, 20000, 9000), (15072, 15036, 15036, 15000)]
"""


def tell(tmp_path, story):
    """Run a story to its end and return the lines it printed."""
    (tmp_path / "esp32.py").write_text(_ESP32)
    path = tmp_path / "story.py"
    path.write_text(_STORY + textwrap.dedent(story) + "\nasyncio.run(main())\n")
    firmware = Path(__file__).parents[2] / "firmware"
    argv, environment = vm.command(path, 160, [vm.FAKE_MODULES, firmware])
    done = subprocess.run(argv, env=os.environ | environment, capture_output=True, text=True, timeout=15, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_keys_faults_and_messages_reach_the_terminal_in_order(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            scanner.waiting.extend([0x13, 0x03, 0x25, 0x45])
            await until(lambda: len(terminal.heard) == 4)
            app.on_message("t", b"p", True)
            app.on_link(True)
            for row in terminal.heard:
                print(row)
        """,
    )
    assert lines == ["('key', 3, True)", "('key', 3, False)", "('fault', 5, True)", "('fault', 5, False)",
                     "('message', 't', b'p')", "('link', True)"]  # fmt: skip


def test_a_stall_is_told_before_the_time_that_it_took_so_that_no_timer_dials_what_has_a_hole(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            def hear_stall():
                scanner.has_stalled = False
                return terminal._note("stall")

            terminal.on_stall = hear_stall
            terminal.on_time = lambda elapsed_ms: terminal._note("time") if elapsed_ms >= 200 else ()
            scanner.has_stalled = True
            time.sleep_ms(300)
            await until(lambda: len(terminal.heard) == 2)
            print(terminal.heard)
        """,
    )
    assert lines == ["[('stall',), ('time',)]"]


def test_actions_are_done_in_order_and_an_outcome_is_told_exactly_once(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            parts.outcome = False
            terminal.answers["time"] = (
                Publish("a", b"1", 1, False, "ref", 100), Publish("b", b"2", 0, True, None, 100), Indicate("key"),
                Show("one", "two"), Log("event", "detail"),
            )
            await until(lambda: terminal.heard)
            await asyncio.sleep_ms(30)
            print(parts.published, parts.played, parts.shown, terminal.heard)
        """,
    )
    assert lines == ["event detail", "[('a', b'1'), ('b', b'2')] ['starting', 'key'] [('one', 'two')] "
                     "[('published', 'ref', False)]"]  # fmt: skip


def test_a_publish_that_fails_inside_is_told_as_not_acknowledged(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            parts.outcome = ValueError("number 0123")
            terminal.answers["time"] = (Publish("a", b"1", 1, False, "ref", 100),)
            await until(lambda: terminal.heard)
            await asyncio.sleep_ms(10)
            print(terminal.heard)
        """,
    )
    assert lines[-1] == "[('published', 'ref', False)]"
    assert lines[0].startswith("task-failed ValueError at story.py:")
    assert "0123" not in "".join(lines)


def test_more_publishes_than_can_be_under_way_are_refused_at_once(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            terminal.answers["time"] = tuple(Publish("a", b"", 1, False, n, 100) for n in range(10))
            await until(lambda: len(terminal.heard) == 10)
            print(sorted((row[1], row[2]) for row in terminal.heard if not row[2]), len(parts.published))
        """,
    )
    assert lines == [
        "publish-refused too many at once",
        "publish-refused too many at once",
        "[(8, False), (9, False)] 8",
    ]


def test_a_mistake_in_the_terminal_is_logged_without_its_text_and_costs_nothing_else(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            terminal.answers[("link", True)] = ValueError("number 0123")
            app.on_link(True)
            app.on_link(False)
            print(terminal.heard)
        """,
    )
    assert lines[0].startswith("terminal-failed ValueError at story.py:")
    assert lines[1] == "[('link', True), ('link', False)]"


def test_a_task_that_dies_is_started_again_and_a_device_whose_tasks_keep_dying_restarts(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            scanner.waiting.append(OSError("once"))
            await asyncio.sleep_ms(150)
            scanner.waiting.append(0x11)
            await until(lambda: len(terminal.heard) == 2)
            print(terminal.heard, parts.resets)
            scanner.waiting.extend([OSError("again")] * 5)
            await until(lambda: parts.resets)
            print(parts.resets)
        """,
    )
    assert lines[0].startswith("task-died scan: OSError at ")
    assert lines[1] == "[('stall',), ('key', 1, True)] 0"
    assert [line.partition(":")[0] for line in lines[2:7]] == ["task-died scan"] * 5
    assert lines[7:] == ["restart tasks keep dying", "1"]


def test_what_goes_wrong_while_a_key_is_taken_ends_the_number_as_a_stall_does(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            terminal.answers[("key", 3, True)] = MemoryError()
            scanner.waiting.append(0x13)
            await until(lambda: len(terminal.heard) == 2)
            print(terminal.heard)
        """,
    )
    assert [line for line in lines if "task-died" not in line] == ["[('key', 3, True), ('stall',)]"]


def test_a_restart_waits_for_what_is_being_published(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            terminal.answers["time"] = (Publish("a", b"", 1, False, "last", 100), Restart("requested"))
            await until(lambda: parts.resets)
            print(terminal.heard)
        """,
    )
    assert lines == ["restart requested", "[('published', 'last', True)]"]


def test_garbage_is_not_collected_while_a_sequence_is_open(tmp_path):
    lines = tell(
        tmp_path,
        """
        class Collector:
            used, collections = 1000, 0

            def mem_alloc(self):
                return self.used

            def mem_free(self):
                return 100000  # what the heap may yet take of the IDF counts as free on a chip, so it says nothing

            def collect(self):
                self.collections += 1
                self.used = 1000

        async def story():
            collector = application.gc = Collector()
            app._collect_garbage()
            collector.collections = 0
            terminal.is_sequence_open = True
            collector.used = 1250
            await asyncio.sleep_ms(1100)
            print(collector.collections)
            terminal.is_sequence_open = False
            await until(lambda: collector.collections == 1)
            await asyncio.sleep_ms(1100)
            print(collector.collections)
        """,
    )
    assert lines == ["0", "1"]


def test_a_link_for_which_there_is_too_little_memory_is_given_up_and_told(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            application.measure_idf = lambda: (2368, 2048, 548)
            await until(lambda: terminal.heard)
            print(terminal.heard, app._telemetry()[0].payload["memory_restarts"])
        """,
    )
    assert lines == ["dropped: short of memory", "memory-short 2368 bytes are left to Wi-Fi and TLS",
                     "[('memory short',)] 1"]  # fmt: skip


def test_memory_that_is_short_for_a_moment_costs_nothing(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            measured = [(2368, 2048, 548), (30000, 20000, 548)] * 2
            application.measure_idf = lambda: measured.pop(0) if measured else (30000, 20000, 548)
            await until(lambda: not measured)
            print(terminal.heard)
        """,
    )
    assert lines == ["[]"]


def test_the_watchdog_hungers_when_the_link_stands_still_and_a_lost_network_drops_the_link(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            app.on_progress()
            await until(lambda: parts.fed == 1)
            await asyncio.sleep_ms(1100)
            print(parts.fed)
            app.on_progress()
            await until(lambda: parts.fed == 2)
            app.on_network(False)
        """,
    )
    assert lines == ["1", "dropped: the network is gone"]


def test_the_watchdog_hungers_when_the_keypad_is_not_looked_at_any_more_and_what_stands_still_is_noted(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            app.on_progress()
            await until(lambda: parts.fed == 1)
            scanner.wait_ms = 1000000
            await asyncio.sleep_ms(20)
            for _ in range(3):
                app.on_progress()
                await asyncio.sleep_ms(1000)
            print(parts.fed <= 2, breadcrumb.notes[-1])
        """,
    )
    assert lines == ["True scan"]


def test_the_watchdog_hungers_when_the_collector_gets_no_time(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            def on_time(elapsed_ms):
                raise ValueError("stuck")

            app.on_progress()
            await until(lambda: parts.fed == 1)
            watchdog._moved.clear()
            terminal.on_time = on_time
            app.on_progress()
            await asyncio.sleep_ms(400)
            print(parts.fed, watchdog.feed())
        """,
    )
    assert [line.partition(":")[0] for line in lines[:-1]] == ["task-died scan"] * (len(lines) - 1)
    assert lines[-1] == "1 scan"


def test_the_watchdog_hungers_when_the_tick_stands_still(tmp_path):
    lines = tell(
        tmp_path,
        """
        class Still:
            async def sleep_ms(self, ms):
                await asyncio.sleep(100 if ms == 1000 else ms / 1000)

            def __getattr__(self, name):
                return getattr(asyncio, name)

        async def story():
            app.on_progress()
            await until(lambda: parts.fed == 1)
            application.asyncio = Still()
            await asyncio.sleep_ms(1100)  # the sleep that was under way ends
            app.on_progress()
            before = parts.fed
            await asyncio.sleep_ms(2100)
            print(parts.fed - before)  # although all else moves
        """,
    )
    assert lines == ["0"]


def test_what_stood_still_and_moves_again_is_taken_back(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            await until(lambda: breadcrumb.notes == ["link"])
            app.on_progress()
            await until(lambda: parts.fed)
            print(breadcrumb.notes[:2])
        """,
    )
    assert lines == ["['link', '']"]


def test_a_device_whose_tasks_keep_dying_remembers_which_and_where(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            scanner.waiting.extend([OSError("no")] * 6)
            await until(lambda: parts.resets)
            print(breadcrumb.notes[-1])
        """,
    )
    assert lines[-1].startswith("('left', 'scan: OSError at ")


def test_a_run_of_a_minute_has_settled(tmp_path):
    lines = tell(
        tmp_path,
        """
        class Fast:
            async def sleep_ms(self, ms):
                await asyncio.sleep_ms(1 if ms == 1000 else ms)

            def __getattr__(self, name):
                return getattr(asyncio, name)

        async def story():
            application.asyncio = Fast()
            await until(lambda: "settled" in breadcrumb.notes)
            print(breadcrumb.notes)
        """,
    )
    assert lines == ["['link', 'settled']"]


def test_telemetry_tells_the_memory_without_the_garbage(tmp_path):
    lines = tell(
        tmp_path,
        """
        import gc

        def measure(fields):
            gc.collect()
            parts.played.append(fields["heap_used"] - gc.mem_alloc())
            return Publish("telemetry", b"", 0, False, None, 100)

        async def story():
            terminal.telemetry = measure
            while len(parts.played) < 2:
                bytes(150)  # as all that runs leaves something behind, too little for a collection of its own
                await asyncio.sleep_ms(100)
            print(parts.played[1] < 1000)
        """,
    )
    assert lines == ["True"]


def test_telemetry_measures_the_device(tmp_path):
    lines = tell(
        tmp_path,
        """
        async def story():
            application.FIRST_TELEMETRY_TICK = 1
            await until(lambda: parts.published)
            fields = parts.published[0][1]
            whole = fields.pop("heap_free") + fields.pop("heap_used")
            print(150000 < whole <= 160 * 1024, sorted(fields.items()))
        """,
    )
    expected = [
        ("dropped", 1), ("gap_max_ms", 2), ("gap_p50_ms", 2), ("gap_p99_ms", 2), ("idf_free", 45036),
        ("idf_largest", 20000), ("idf_least", 24000), ("memory_restarts", 0), ("restarts", 0), ("rssi", -50),
    ]  # fmt: skip
    assert lines == [f"True {expected}"]
