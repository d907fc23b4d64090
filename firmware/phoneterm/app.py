"""The running terminal: starts the tasks, passes events to core.terminal, and carries out its actions.

Does not decide anything about keys, calls or permissions, and knows no pins. Only this module starts tasks. A task
that dies is started again and counted; a device whose tasks keep dying restarts.
Garbage is collected while no sequence is open, so that a collection does not hide a key. Times are ms.
"""

import asyncio
import gc
import time

from micropython import const

from phoneterm.core import actions as act
from phoneterm.core.debounce import INDEX, PRESSED, STALLED, STUCK, WORKING
from phoneterm.device.config_reader import describe_cause
from phoneterm.device.event_log import log, place_of
from phoneterm.device.memory import measure_idf

WATCHED = ("scan", "tick", "link")  # the parts that must move for the watchdog to be fed
_BEAT_MS = const(20)  # the precision of the terminal's timers; keys bring their own times
_TICK_MS = const(1000)
_TELEMETRY_TICKS = const(60)
_FIRST_TELEMETRY_TICK = const(5)
_SHORT_BYTES = const(6144)  # of ESP-IDF's memory: with less, Wi-Fi cannot even send the packets that would free some
_SETTLED_TICKS = const(60)  # a later crash does not count as one in a row
_MOST_DEATHS = const(5)  # of tasks; one is forgiven with every telemetry
_REVIVE_MS = const(100)
_MOST_PUBLISHING = const(8)
_LAST_WORDS_MS = const(500)  # to finish publishing before a restart


class App:
    """Joins the terminal with its keypad, lamp, screen, hook and broker; `run` runs the device for ever."""

    def __init__(self, terminal, sampler, indicator, screen, hook, watchdog, breadcrumb, console):
        """Take the parts; screen and hook may be None. console: a poll of the console's input."""
        self._terminal = terminal
        self._sampler = sampler
        self._indicator = indicator
        self._screen = screen
        self._hook = hook
        self._watchdog = watchdog
        self._breadcrumb = breadcrumb
        self._console = console
        self._client = None
        self._wifi = None
        self._publishing = set()
        self._restarting = None
        self._deaths = 0
        self._restarts = 0
        self._memory_restarts = 0
        self._is_short = False
        self._cause = self._next_cause = None  # what was told; what will be told if it is still so in a second
        self._time_ms = 0
        self._due_bytes = 0

    async def run(self, client, wifi):
        """Start every task and wait for ever; `client` and `wifi` call back the `on_` methods."""
        self._client = client
        self._wifi = wifi
        gc.threshold(-1)
        self._collect_garbage()
        self._time_ms = time.ticks_ms()
        asyncio.get_event_loop().set_exception_handler(self._on_exception)
        self._indicator.play("starting")
        keep, screen = self._keep_alive, self._screen
        await asyncio.gather(
            keep("scan", self._scan), keep("keys", self._hear_keys), keep("tick", self._tick),
            keep("indicator", self._indicator.run), keep("wifi", wifi.run), keep("receive", client.receive),
            keep("send", client.send),
            keep("ping", client.ping), *((keep("screen", screen.run),) if screen else ()),
        )  # fmt: skip

    async def wait_network(self):
        """Return once there is a network, with the lamp dark: connecting may then block everything for seconds."""
        await self._wifi.wait_up()
        await self._indicator.go_dark()

    def on_message(self, topic, payload, is_retained):
        """Pass a message from the broker to the terminal."""
        self._ask(self._terminal.on_message, topic, payload)

    def on_link(self, is_up):
        """Tell the terminal whether the broker can be reached."""
        if is_up:
            self._collect_garbage()  # the first messages come all at once
        self._ask(self._terminal.on_link, is_up)
        if is_up:
            self._watch_cause(False)  # frees what the last cause takes, before a config needs room

    def on_network(self, is_up):
        """Drop the broker connection when the network is lost."""
        if is_up:
            self._client.cause = 0  # it was the network
        else:
            self._client.drop("the network is gone")

    def on_progress(self):
        """Note that the link's sending task still runs."""
        self._watchdog.mark_progress("link")

    def perform(self, actions):
        """Carry out the terminal's actions in order."""
        for action in actions:
            if isinstance(action, act.Publish):
                self._start_publishing(action)
            elif isinstance(action, act.Indicate):
                self._indicator.country = self._terminal.country
                self._indicator.play(action.signal)
            elif isinstance(action, act.Show):
                if self._screen:
                    self._screen.show(action.line1, action.line2)
            elif isinstance(action, act.Log):
                log(action.event, action.detail)
            elif isinstance(action, act.Restart):
                self._restarting = asyncio.create_task(self._restart(action.reason))
            else:
                raise ValueError("no such action: %s" % type(action))

    def _ask(self, method, *arguments):
        """Get the terminal's actions and carry them out; a mistake in there must not cost the connection."""
        try:
            self.perform(method(*arguments))
        except Exception as error:
            log("terminal-failed", place_of(error))

    def _start_publishing(self, action):
        if len(self._publishing) < _MOST_PUBLISHING:
            self._publishing.add(asyncio.create_task(self._publish(action)))
        else:
            log("publish-refused", "too many at once")
            self._report(action.ref, False)

    async def _publish(self, action):
        """Publish, and report the outcome exactly once."""
        is_good = False
        ref = action.ref
        publishing = self._client.publish(action.topic, action.payload, action.qos, action.retain, action.deadline_ms)
        action = None  # only the packet is kept until it is acknowledged
        try:
            is_good = await publishing
        finally:
            self._publishing.discard(asyncio.current_task())
            self._report(ref, is_good)

    def _report(self, ref, is_good):
        if ref is not None:
            self._ask(self._terminal.on_published, ref, is_good)

    async def _scan(self):
        """Start the keypad's scans, poll the hook, let time pass, and report progress to the watchdog."""
        sampler, hook = self._sampler, self._hook
        sampler.start()
        looks = sampler.looks
        while True:
            if sampler.error:
                raise sampler.error
            self._report_changes()
            if hook:
                is_off_hook = hook.poll(_BEAT_MS)
                if is_off_hook is not None:
                    self.perform(self._terminal.on_hook(is_off_hook))
            if looks != sampler.looks:
                looks = sampler.looks
                self._watchdog.mark_progress("scan")
            await asyncio.sleep_ms(_BEAT_MS)

    async def _hear_keys(self):
        """Take keys as soon as there are some."""
        while True:
            await self._sampler.news.wait()
            self._report_changes()

    def _report_changes(self):
        """Tell the terminal each change at the keypad, at its time, and then the time since.

        An error on the way may have cost a key: then the number that is being keyed has a hole.
        """
        sampler = self._sampler
        try:
            change = sampler.next_change()
            while change is not None:
                if change != STALLED:  # told before the time that it took: no timer may complete a number with a hole
                    self._pass_time(sampler.at_ms)
                self.perform(self._report_change(change))
                change = sampler.next_change()
            self._pass_time(time.ticks_ms())
        except Exception:
            self._terminal.on_stall()
            raise

    def _pass_time(self, now_ms):
        """Let the terminal's time pass up to `now_ms`."""
        elapsed_ms = time.ticks_diff(now_ms, self._time_ms)
        if elapsed_ms > 0:
            self._time_ms = now_ms
            self.perform(self._terminal.on_time(elapsed_ms))

    def _report_change(self, change):
        if change == STALLED:
            return self._terminal.on_stall()
        if change & (STUCK | WORKING):
            return self._terminal.on_keypad_fault(change & INDEX, bool(change & STUCK))
        return self._terminal.on_key(change & INDEX, bool(change & PRESSED))

    async def _tick(self):
        """Every second: feed the watchdog, tell what is wrong, collect garbage if there is much and nobody is keying.

        Every minute, or once nobody is keying: telemetry. Every minute: forgive a death.
        """
        ticks = 0
        is_telling = False
        stood = None
        while True:
            await asyncio.sleep_ms(_TICK_MS)
            ticks += 1
            self._watchdog.mark_progress("tick")
            standing = self._watchdog.feed()
            if standing != stood:  # noted in time, in case the watchdog resets the chip for it
                stood = standing
                self._breadcrumb.mark_running(stood or "")
            if ticks == _SETTLED_TICKS:
                self._breadcrumb.settle()
            self._watch_memory()
            self._watch_cause(ticks % _TELEMETRY_TICKS == 0)
            if ticks % _TELEMETRY_TICKS == _FIRST_TELEMETRY_TICK:
                self._deaths = max(self._deaths - 1, 0)
                is_telling = True
            if not self._terminal.is_sequence_open and (is_telling or gc.mem_alloc() >= self._due_bytes):
                self._collect_garbage()
                if is_telling:  # now: it reports the bytes in use without the garbage, and needs much memory itself
                    is_telling = False
                    self._ask(self._telemetry)

    def _watch_memory(self):
        """Give up the link and all the memory it holds when ESP-IDF has been short of memory for two ticks."""
        free = measure_idf()[0]
        was_short, self._is_short = self._is_short, free < _SHORT_BYTES
        if was_short and self._is_short and self._client.drop("short of memory", True):
            self._memory_restarts += 1
            log("memory-short", "%d bytes are left to Wi-Fi and TLS" % free)
            self._collect_garbage()

    def _watch_cause(self, is_due):
        """Tell what keeps the terminal from a transfer when it has been so for a second, and again when that is due.

        Any byte at the console asks for it, or whether all is well, and is answered as soon as that is known. It is
        nobody else's: there is no prompt. Ctrl-C, which brings one, is no byte but ends this before it can take what
        follows: the VM looks for it at every jump, and there is one between poll and read.
        """
        cause = self._wifi.cause or self._client.cause or self._terminal.find_cause()
        is_lasting = cause == self._next_cause or not cause
        self._next_cause = cause
        typed = self._console.poll(0)
        if is_lasting and (
            cause != self._cause
            or (is_due and cause)
            or (cause is not None and typed and typed[0][0].read(1))  # an input that has ended asks nothing
        ):
            self._cause = cause
            self._tell_cause(cause)

    def _tell_cause(self, cause):
        lines, code = None, ()
        if cause:
            self._client.logged = None  # so that it says again what it knows
            try:
                line1, line2, sentence, code = describe_cause(cause)
                lines = line1, line2
            except MemoryError:
                sentence = cause
            log("trouble", sentence)
        elif cause == 0:
            log("ready", "for keys")
        self._indicator.explain(code)
        self._ask(self._terminal.on_cause, lines)

    def _collect_garbage(self):
        gc.collect()
        # Not of mem_free, which includes what the heap could take from the IDF. A little: what lasts comes to
        # lie behind the garbage, and then cuts the free memory in pieces.
        self._due_bytes = gc.mem_alloc() * 17 // 16

    def _telemetry(self):
        gaps, client = self._sampler.gaps, self._client
        idf_free, idf_largest, idf_least = measure_idf()
        fields = {
            "heap_free": gc.mem_free(), "heap_used": gc.mem_alloc(), "idf_free": idf_free, "idf_largest": idf_largest,
            "idf_least": idf_least, "rssi": self._wifi.rssi(), "restarts": self._restarts,
            "memory_restarts": self._memory_restarts,
            "gap_p50_ms": gaps.percentile_ms(50), "gap_p99_ms": gaps.percentile_ms(99),
            "gap_max_ms": gaps.longest_ms(),
            "dropped": self._terminal.counters()["dropped"] + client.dropped + client.unexpected,
        }  # fmt: skip
        gaps.clear()
        return (self._terminal.telemetry(fields),)

    async def _keep_alive(self, name, start):
        """Run one task for ever: start it again when it dies, restart the device when tasks keep dying."""
        while True:
            place = name
            try:
                await start()
            except Exception as error:
                place = "%s: %s" % (name, place_of(error))
            log("task-died", place)
            self._restarts += 1
            self._deaths += 1
            if self._deaths > _MOST_DEATHS:
                await self._restart("tasks keep dying", place)
            await asyncio.sleep_ms(_REVIVE_MS)

    async def _restart(self, reason, crash=""):
        """Finish publishing, then restart the device."""
        log("restart", reason)
        left_ms = _LAST_WORDS_MS
        while self._publishing and left_ms > 0:
            await asyncio.sleep_ms(_TICK_MS // 50)
            left_ms -= _TICK_MS // 50
        if reason == "wipe":
            from phoneterm.device import wipe  # imported only now, because it is hardly ever needed

            wipe.erase()
        self._breadcrumb.leave(crash)

    def _on_exception(self, loop, context):
        """Log an error in a task that nobody waits for."""
        log("task-failed", place_of(context["exception"]))
