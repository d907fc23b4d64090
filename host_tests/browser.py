"""The browser of the tests that drive pages: one for each worker, with pages of its own for each test."""

import pytest
import pytest_asyncio
from lab_parts import chromium, parts


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_browser():
    """Debian's Chromium, started once for all tests of a worker."""
    from playwright.async_api import async_playwright  # here, because most workers drive no page

    try:
        program = chromium.find()
    except parts.PartMissing as missing:
        pytest.skip(str(missing))
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
