"""The browser of the tests that drive pages: one for each worker, with pages of its own for each test."""

import asyncio

import pytest
import pytest_asyncio
from lab_parts import chromium, parts

_PATIENCE_S = 20  # a busy computer may need it; a wait ends as soon as the page shows what is expected


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_browser():
    """Debian's Chromium, started once for all tests of a worker."""
    from playwright.async_api import async_playwright, expect  # here, because most workers drive no page

    try:
        program = chromium.find()
    except parts.PartMissing as missing:
        pytest.skip(str(missing))
    expect.set_options(timeout=_PATIENCE_S * 1000)
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser(running_browser):
    """Debian's Chromium; its pages are closed after the test."""
    yield running_browser
    for context in running_browser.contexts:
        await context.close()


async def delay_first(page, where, delay_s=1.0):
    """Hold back the first thing that a page sends to a path, so that what it sends later may come before it."""
    held = []

    async def hold(route):
        if route.request.method == "POST" and not held:
            held.append(route)
            await asyncio.sleep(delay_s)
        await route.continue_()

    await page.route(f"**{where}", hold)


async def swallow_first(page, where):
    """Let the first thing that a page sends to a path get no answer, as in a network that drops it."""
    swallowed = []

    async def swallow(route):
        if route.request.method == "POST" and not swallowed:
            swallowed.append(route)
        else:
            await route.continue_()

    await page.route(f"**{where}", swallow)
    return swallowed
