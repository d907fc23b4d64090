"""Takes the pictures of the virtual phone's page that stand in the documents: a consultation, on a large and a small
screen.

Run by `make pictures`. Tests nothing; whoever changes the page runs it and looks at what has become of it.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from desk_lab.installation import make_lab
from lab_parts import chromium
from phone_page.conftest import HandOnPage, PagedDesk, card_of, key_of
from playwright.async_api import async_playwright, expect

_PICTURES = (
    ("desk", {"width": 1240, "height": 760}, "light"),
    ("desk-on-a-phone", {"width": 360, "height": 720}, "dark"),
)


async def take(folder):
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as place:
        desk = PagedDesk(make_lab("simulator"), Path(place))
        await desk.start()
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium.find(), args=["--no-sandbox"])
            pages = {}
            for name, size, scheme in _PICTURES:
                context = await browser.new_context(
                    viewport=size, color_scheme=scheme, has_touch=size["width"] < 400, reduced_motion="reduce"
                )
                pages[name] = await context.new_page()
                await pages[name].goto(desk.page.address)
                await pages[name].locator("html[data-live=live]").wait_for()
            page = pages["desk"]
            await HandOnPage(desk, print, lambda legend: key_of(page, legend).click()).key("*2102")
            for name, one in pages.items():
                await expect(card_of(one, "103")).to_contain_text("is on hold")
                await expect(one.locator("#display")).to_contain_text("Answered")
                await expect(one.locator("#display")).to_contain_text("consulting")
                await expect(one.get_by_role("img", name="Lamp on")).to_be_visible()
                await one.evaluate("document.activeElement.blur()")
                await one.screenshot(path=folder / f"{name}.png")
            await browser.close()
        await desk.stop()


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1]).absolute()))
