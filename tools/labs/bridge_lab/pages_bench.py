"""Measures the operator's console at 1,000 terminals with 20 pages open, and commands beside it. Does not print.

A real browser (Debian's Chromium) says when it has painted the list and when a change is on the page; the other pages
are event streams that are read. The same commands go through the same bridge without pages and beside them.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from lab_parts import chromium
from lab_parts.parts import PartMissing
from phoneterm_bridge.store.accounts import Accounts
from phoneterm_bridge.store.database import open_store

from bridge_lab import worker
from bridge_lab.bench import Flow, measure_flow, measure_hello
from bridge_lab.scene import Scene

if TYPE_CHECKING:
    from playwright.async_api import Page

TERMINALS, PAGES, STREAMS = 1000, 20, 200
MOST_PAINT_MS, MOST_UPDATE_MS, MOST_MEGABYTES, MOST_TIMES = 1000.0, 250.0, 100.0, 1.2
_PER_S = 200.0
_FLIPS = 20
_NAME, _PASSWORD = "bench", "a password of the bench"
_SEEN = """() => new Promise((done) => {
  const row = document.getElementById(TID);
  new MutationObserver((_, self) => { self.disconnect(); done(Date.now()); })
    .observe(row, { attributes: true, childList: true, characterData: true, subtree: true });
})"""


class PagesFigures(NamedTuple):
    """What was measured; times in ms. updates_ms: from the change's request until a page of another shows it."""

    paint_ms: float
    updates_ms: list[float]
    megabytes_before: float
    megabytes: float
    alone: Flow
    beside: Flow
    health_ms: float
    problems: list[str]


async def measure_pages(seconds: float, terminals: int = TERMINALS, pages: int = PAGES) -> PagesFigures:
    """Measure all of it on one bridge; PartMissing without Chromium or Playwright."""
    try:
        from playwright.async_api import async_playwright
    except ModuleNotFoundError:
        raise PartMissing("This bench drives a browser with Playwright, which only a checkout has.") from None
    async with AsyncExitStack() as stack:
        scene = await stack.enter_async_context(Scene(terminals, terminals, has_pages=True, has_console=True))
        await asyncio.to_thread(_add_account, scene)
        await scene.join(terminals)
        await measure_hello(scene)
        await scene.crowd.ask(do="report")
        megabytes_before = worker.resident_bytes(scene.subject.pid) / 1e6
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium.find(), args=["--no-sandbox"])
            page = await (await browser.new_context()).new_page()
            await _sign_in(page, scene)
            cookie = "; ".join(f"{one['name']}={one['value']}" for one in await page.context.cookies())
            paint_ms = await _measure_paint(page, scene)
            async with _streams(scene, cookie, pages - 1):
                updates_ms = await _measure_updates(page, scene, cookie)
                megabytes = worker.resident_bytes(scene.subject.pid) / 1e6
            await browser.close()
        await measure_flow(scene, 0, seconds / 2, _PER_S)  # until all caches are warm
        alone = await measure_flow(scene, 0, seconds, _PER_S)
        async with _streams(scene, cookie, pages):
            beside = await measure_flow(scene, 0, seconds, _PER_S)
        async with _streams(scene, cookie, STREAMS):
            begun_s = time.monotonic()
            await scene.read_page("/healthz")
            health_ms = (time.monotonic() - begun_s) * 1000
        return PagesFigures(
            paint_ms, updates_ms, megabytes_before, megabytes, alone, beside, health_ms,
            [*alone.problems, *beside.problems],
        )  # fmt: skip


def failures_of_pages(figures: PagesFigures) -> list[str]:
    """Return one sentence for each limit that is missed."""
    times = figures.beside.median_ms / figures.alone.median_ms
    slowest = max(figures.updates_ms)
    missed = figures.problems[:5]
    if figures.paint_ms > MOST_PAINT_MS:
        missed.append(f"The list's first paint took {figures.paint_ms:.0f} ms, over {MOST_PAINT_MS:g} ms.")
    if slowest > MOST_UPDATE_MS:
        missed.append(f"An update was on the page after {slowest:.0f} ms, over {MOST_UPDATE_MS:g} ms.")
    if figures.megabytes > MOST_MEGABYTES:
        missed.append(f"The bridge takes {figures.megabytes:.0f} MB, over {MOST_MEGABYTES:g} MB.")
    if times > MOST_TIMES:
        missed.append(f"The median delay of a command is {times:.2f} times that without pages, over {MOST_TIMES:g}.")
    return missed


def _add_account(scene: Scene) -> None:
    engine = open_store(scene.store)
    Accounts(engine, "bench").add_account(_NAME, "operator", _PASSWORD)
    engine.dispose()


async def _sign_in(page: "Page", scene: Scene) -> None:
    await page.goto(f"{_address(scene)}/sign-in?next=/account")
    await page.fill("[name=name]", _NAME)
    await page.fill("[name=password]", _PASSWORD)
    await page.click("button")
    await page.wait_for_url(f"{_address(scene)}/account")


async def _measure_paint(page: "Page", scene: Scene) -> float:
    """Return when the browser had painted the list first, after it was asked for it; the best of three."""
    found = []
    for _ in range(3):
        await page.goto(f"{_address(scene)}/terminals")
        await page.locator("html[data-live=live]").wait_for()
        painted = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        found.append(float(await page.evaluate(painted)))
    return min(found)


async def _measure_updates(page: "Page", scene: Scene, cookie: str) -> list[float]:
    """Return how long after the request of a change, by a program beside, the page showed it."""
    text = await _ask(scene, "GET", "/account", cookie)
    found = re.search('<meta name="csrf" content="([^"]+)">', text)
    assert found is not None
    csrf, times_ms = found[1], []
    for number in range(_FLIPS):
        tid = scene.identities[number].tid
        seen = asyncio.create_task(page.evaluate(_SEEN.replace("TID", repr(f"t-{tid}"))))
        await asyncio.sleep(0.3)  # until the page watches
        form = {"what": "deny-attended", "terminal": tid}
        begun_ms = time.time() * 1000
        await _ask(scene, "POST", "/terminals/change", cookie, urlencode(form), csrf)
        times_ms.append(await seen - begun_ms)
    return times_ms


@asynccontextmanager
async def _streams(scene: Scene, cookie: str, count: int) -> AsyncIterator[None]:
    """Have so many pages' streams open, and read them."""
    readings, writers = [], []
    for _ in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", scene.settings.console.port)
        writer.write(_request("GET", "/events?topics=terminals+status", cookie))
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head[:20]:
            raise worker.WorkerFailed(f"The console gave no stream, but {head[:60]!r}.")
        writers.append(writer)
        readings.append(asyncio.create_task(_read(reader)))
    try:
        yield
    finally:
        for writer in writers:
            writer.transport.abort()
        await asyncio.gather(*readings, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass


async def _ask(scene: Scene, method: str, path: str, cookie: str, body: str = "", csrf: str = "") -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", scene.settings.console.port)
    try:
        writer.write(_request(method, path, cookie, body, csrf))
        return (await reader.read()).decode()
    finally:
        writer.close()


def _request(method: str, path: str, cookie: str, body: str = "", csrf: str = "") -> bytes:
    fields: dict[str, Any] = {"Host": "localhost", "Cookie": cookie, "Connection": "close"}
    fields |= {"X-CSRF-Token": csrf, "Content-Length": len(body)} if body else {}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n{body}".encode()


def _address(scene: Scene) -> str:
    return f"http://127.0.0.1:{scene.settings.console.port}"
