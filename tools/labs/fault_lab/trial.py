"""Plays one plan in one cell: a call, the keys of a command, the faults; then heals everything and records the end.

Does not judge (`verdict` does), except that it fails if the phone or the installation never gets ready, before or
after. A command that the phone never heard, because the computer kept its process from running, is no run: it is played
again. Every wait has an end. Times are seconds.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from lab_parts.kept_waiting import LEAST_WAIT_MS, kept_waiting_ms
from pbx_lab.process import LabFailed

from fault_lab import verdict
from fault_lab.cell import CALLER, COLLEAGUE, USER, Cell
from fault_lab.plan import FIRST_KEY, LAST_KEY, TTL_S, Outage, Plan
from fault_lab.report import Report, tell_story
from fault_lab.verdict import Seen

READY_S = 60.0  # ten phones start at once, on any machine
EARLY_S = 2.5  # keys are pressed after this time even if faults delay the phone's start
ANSWER_S = 4.5  # the terminal gives up after 3 s; by then it must have said something
QUIET_S = 15.0
MOST_TRIES = 3  # of one plan
RECOVER_S = 25.0
_LOOK_S = 0.02
_SETTLE_S = 0.3
_CODES = {"blind": "#1", "attended": "*2"}


class NotReady(Exception):
    """The installation did not get ready, or did not recover; the text says which."""


async def play(cell: Cell, plan: Plan, waited_ms: Callable[[int], float] = kept_waiting_ms) -> Report:
    """Play one plan; the cell is healthy afterwards, unless the report says that it is not.

    waited_ms: (process id) -> how long it has been kept from running so far.
    """
    for tries in range(1, MOST_TRIES + 1):
        report, is_excused = await _play_once(_Trial(cell, plan, waited_ms), tries)
        if not is_excused:
            break
    return report


async def _play_once(trial: "_Trial", tries: int) -> tuple[Report, bool]:
    """Return (report, whether the computer kept the phone from hearing the command)."""
    is_excused = False
    try:
        seen = await trial.run()
        end, why = verdict.judge(seen)
        word = verdict.last_word(seen.lines)
        is_excused = trial.kept_waiting_ms >= LEAST_WAIT_MS and not verdict.is_heard(seen)
    except (NotReady, LabFailed) as failure:
        end, why, word = "broken", str(failure), ""
    finally:
        await trial.end()
    phases = tuple(round(at_s - trial.phases[0], 2) for at_s in trial.phases[1:])
    details = () if end != "broken" else trial.details()
    return Report(trial.plan, end, why, word, phases, trial.came_about, details, tries), is_excused


class _Trial:
    """One run."""

    def __init__(self, cell: Cell, plan: Plan, waited_ms: Callable[[int], float]) -> None:
        self._cell = cell
        self.plan = plan
        self._waited_ms = waited_ms
        self._waiting = list(plan.outages)
        self._outages: list[asyncio.Task[None]] = []
        self._channel = ""
        self._first = 0
        self._first_key_s = self._last_key_s = 0.0
        self._results: list[list[str]] = []
        self.kept_waiting_ms = 0.0  # the phone, while the command was keyed
        self.phases: list[float] = [time.monotonic()]
        self.came_about: tuple[Outage, ...] = ()

    async def run(self) -> Seen:
        """Play it and return the observations."""
        cell, plan = self._cell, self.plan
        await cell.lab.place_call(CALLER, USER)
        self._channel = cell.lab.channel_of(USER)
        entry = await cell.store.last_entry()
        cell.lab.forget()
        await self._start_phone()
        cell.on_step = self._on_step
        if not plan.is_early:
            self._arm()
        self._note_phase()
        await self._press_keys()
        await self._wait_for_end()
        self._note_phase()
        cell.on_step = lambda step: None
        await self._heal()
        self._note_phase()
        await self._recover()
        await self._read_journal(entry)
        self._note_phase()
        return self._seen()

    def _note_phase(self) -> None:
        self.phases.append(time.monotonic())

    async def end(self) -> None:
        """Restore the cell."""
        cell = self._cell
        cell.on_step = lambda step: None
        for task in self._outages:
            with suppress(Exception):
                await task
        for proxy in cell.proxies.values():
            proxy.heal()
        await cell.power_off()
        await cell.lab.clear()

    def details(self) -> tuple[str, ...]:
        """Return what a person needs to understand a failed run."""
        last_ms = (self._last_key_s - self._first_key_s) * 1000
        first = f"last key at {last_ms:.1f}, phone kept waiting for {self.kept_waiting_ms:.0f}, journal {self._results}"
        return (first, *tell_story(self._cell, self._first_key_s))

    async def _start_phone(self) -> None:
        cell, plan = self._cell, self.plan
        if plan.is_early:
            self._arm()
        await cell.power_on()
        patience_s = EARLY_S if plan.is_early else READY_S
        if not await _until(lambda: cell.told_talking > 0 and cell.signal == "ready", patience_s) and not plan.is_early:
            raise NotReady(f"the phone was not ready within {READY_S:g} s, before anything was broken")

    def _arm(self) -> None:
        for side, proxy in self._cell.proxies.items():
            proxy.log.clear()
            proxy.arm([fault for where, fault in self.plan.faults if where == side])

    async def _press_keys(self) -> None:
        cell, plan = self._cell, self.plan
        self._first_key_s = time.monotonic()
        self._first = max(len(cell.lines) - 1, 0)  # the display may already show the answer: "No link"
        self._on_step(FIRST_KEY)
        assert cell.phone is not None
        pid = cell.phone.pid
        before_ms = self._waited_ms(pid) if pid is not None else 0.0
        strokes = await cell.phone.type(_CODES[plan.op] + COLLEAGUE, plan.hold_s * 1000, plan.gap_s * 1000)
        self._last_key_s = max(stroke.at_ms for stroke in strokes if stroke.is_down) / 1000
        if pid is not None and cell.phone.pid == pid:
            self.kept_waiting_ms = self._waited_ms(pid) - before_ms
        self._on_step(LAST_KEY)

    def _on_step(self, step: str) -> None:
        for outage in [one for one in self._waiting if one.step == step]:
            self._waiting.remove(outage)
            self.came_about += (outage,)
            if outage.after_s == 0 and outage.what == "bridge":
                self._cell.bridge.kill()  # at exactly this step; the rest follows in the task
            self._outages.append(asyncio.create_task(self._break_down(outage)))

    async def _break_down(self, outage: Outage) -> None:
        await asyncio.sleep(outage.after_s)
        await self._cell.break_down(outage)

    async def _wait_for_end(self) -> None:
        """Wait for the terminal's word, and until no packet is on its way; then the user hangs up."""
        cell = self._cell
        left_s = self._last_key_s + ANSWER_S - time.monotonic()
        await _until(lambda: verdict.is_final(self._word()), left_s)
        if not await _until(lambda: cell.is_quiet and all(task.done() for task in self._outages), QUIET_S):
            raise NotReady("what was held back or killed was not there again in time")
        if self.plan.op == "attended":
            await asyncio.sleep(_SETTLE_S)  # the terminal may speak before the PBX is asked
            if cell.lab.done:
                with suppress(LabFailed):
                    await cell.lab.hang_up(USER)
                await asyncio.sleep(_SETTLE_S)

    async def _heal(self) -> None:
        for proxy in self._cell.proxies.values():
            proxy.heal()
        for task in self._outages:
            await task
        self._outages.clear()

    async def _recover(self) -> None:
        """Make a new call and wait until the terminal knows it: this proves that everything works again."""
        cell = self._cell
        await cell.lab.clear()
        is_told = await self._call_again()
        if not is_told:
            raise NotReady(f"the terminal did not hear of the next call within {RECOVER_S:g} s after everything healed")

    async def _call_again(self) -> bool:
        """Make a call and return whether the terminal was told in time."""
        told = self._cell.told_talking
        await self._cell.lab.place_call(CALLER, USER)
        return await _until(lambda: self._cell.told_talking > told, RECOVER_S)

    async def _read_journal(self, entry: int) -> None:
        """Read this run's lines from the journal; the last ones may still be on their way to the disk."""
        deadline_s = time.monotonic() + 2
        while time.monotonic() < deadline_s:
            self._results = await self._cell.store.results_after(entry)
            if all(results for results in self._results):
                return
            await asyncio.sleep(_LOOK_S)

    def _word(self) -> str:
        return verdict.last_word(tuple(self._cell.lines[self._first :]))

    def _seen(self) -> Seen:
        cell = self._cell
        first_ms = self._first_key_s * 1000
        return Seen(
            op=self.plan.op,
            last_key_ms=self._last_key_s * 1000,
            ttl_ms=TTL_S * 1000,
            lines=tuple(cell.lines[self._first :]),
            signals=tuple(row for row in cell.signals if row[0] >= first_ms),
            done=tuple(cell.lab.done),
            asked=cell.lab.asked,
            channel=self._channel,
            commands=len(self._results),
            results=tuple(self._results[-1]) if self._results else None,
            is_caller_gone=any(one.what == "call" for one in self.plan.outages),
        )


async def _until(is_so: Callable[[], bool], patience_s: float) -> bool:
    """Wait until a condition is true; return whether it was in time."""
    deadline_s = time.monotonic() + patience_s
    while not is_so():
        if time.monotonic() > deadline_s:
            return False
        await asyncio.sleep(_LOOK_S)
    return True
