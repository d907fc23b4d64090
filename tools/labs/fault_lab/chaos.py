"""Many seeded runs, spread over a few installations in parallel; yields a report of each.

Does not print. Everything listens on 127.0.0.1 and is gone when the generator ends. A cell whose run failed is
replaced, so that one failure does not cause the next.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from pathlib import Path

from firmware_build.image import make_image
from lab_parts.parts import Part
from virtual_phone.build import FIRMWARE

from fault_lab.bridge_process import Nursery
from fault_lab.cell import Cell
from fault_lab.plan import MOSQUITTO, Plan
from fault_lab.report import Report
from fault_lab.trial import play

MOST_CELLS = 32
RUN_S = 90.0


async def run_all(plans: Iterable[Plan], part: Part | None, cells: int) -> AsyncIterator[Report]:
    """Play all plans on this many cells for each kind of broker; `part` is mosquitto, needed if a plan names it."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="phoneterm-chaos-")))
        await asyncio.to_thread(make_image, FIRMWARE, folder / "image")
        nursery = Nursery()
        await nursery.start()
        stack.push_async_callback(nursery.stop)
        queues = _sort(plans)
        total = sum(queue.qsize() for queue in queues.values())
        reports: asyncio.Queue[Report | Exception] = asyncio.Queue()
        workers = [
            asyncio.create_task(_work(queue, part if broker == MOSQUITTO else None, nursery, folder, reports))
            for broker, queue in queues.items()
            for _ in range(min(max(round(cells * queue.qsize() / total), 1), queue.qsize()))
        ]
        stack.push_async_callback(_end, workers)
        for _ in range(total):
            report = await reports.get()
            if isinstance(report, Exception):
                raise report
            yield report


def _sort(plans: Iterable[Plan]) -> dict[str, asyncio.Queue[Plan]]:
    queues: dict[str, asyncio.Queue[Plan]] = {}
    for plan in plans:
        queues.setdefault(plan.broker, asyncio.Queue()).put_nowait(plan)
    return queues


async def _work(
    queue: asyncio.Queue[Plan], part: Part | None, nursery: Nursery, folder: Path, reports: asyncio.Queue
) -> None:
    """Play plans from the queue until it is empty."""
    try:
        while not queue.empty():
            with tempfile.TemporaryDirectory(dir=folder) as own:
                cell = Cell(part, nursery, folder / "image", Path(own))
                try:
                    await cell.start()
                    await _play_until_broken(cell, queue, reports)
                finally:
                    await cell.stop()
    except Exception as error:
        reports.put_nowait(error)


async def _play_until_broken(cell: Cell, queue: asyncio.Queue[Plan], reports: asyncio.Queue) -> None:
    while not queue.empty():
        plan = queue.get_nowait()
        try:
            async with asyncio.timeout(RUN_S):
                report = await play(cell, plan)
        except TimeoutError:
            report = Report(plan, "broken", f"the run did not end within {RUN_S:g} s", "", (), (), ())
        reports.put_nowait(report)
        if report.end == "broken":
            return


async def _end(workers: list[asyncio.Task[None]]) -> None:
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
