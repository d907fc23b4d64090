"""Takes the pictures of the console that stand in the README: a small office at work, in a real browser.

Run by `make pictures`. Tests nothing; whoever changes a page runs it and looks at what has become of it.
"""

import asyncio
import dataclasses
import sys
import tempfile
from pathlib import Path

from attack_lab.scenery.fake_pbx import talking
from attack_lab.scenery.waiting import until
from console.conftest import PASSWORD, ConsoleScene
from lab_parts import chromium
from phoneterm.core import messages
from phoneterm_bridge.pbx.port import Outcome
from phoneterm_bridge.settings.timing import USUAL
from playwright.async_api import async_playwright

_OFFICE = (("102", "berta"), ("103", "carl"), ("104", "dora"), ("105", "emil"), ("106", "frida"), ("107", "gustav"))
_PICTURES = (
    ("terminals", "/terminals", {"width": 1180, "height": 600}, "light"),
    ("why", "/why", {"width": 1180, "height": 640}, "dark"),
    ("roles-and-numbers", "/users/tech1", {"width": 1180, "height": 560}, "light"),
)


async def begin(scene):
    """Let the office work: calls, transfers that worked and did not, one phone that has not answered yet."""
    scene.directory.add_extension("190", "tech1", extension_type="fax")
    enrolled = []
    for number, user in _OFFICE:
        scene.directory.add_user(user, number != "106")
        scene.directory.add_extension(number, user)
        enrolled.append(scene.directory.add_terminal(f"phone-{number}", number))
        scene.directory.set_group(f"phone-{number}", "Berlin" if number < "105" else "Hamburg")
    scene.directory.set_group("phone-101", "Berlin")
    await scene.start()
    await until(lambda: not scene.bridge.parts.health.missing())
    first = await scene.terminal()
    await first.hello()
    await scene.confirm(first)
    await first.send(messages.TELEMETRY, {"uptime_s": 600, "rssi": -58, "gap_p99_ms": 5})
    for place, enrolment in enumerate(enrolled[:-1]):
        terminal = await scene.terminal(enrolment)
        await terminal.hello()
        if place != 1:
            await scene.confirm(terminal)
        said = {"uptime_s": 600, "rssi": -55 - 7 * place, "gap_p99_ms": 31 if place == 3 else 5}
        await terminal.send(messages.TELEMETRY, said)
    await first.ask("blind", "102")
    scene.pbx.listener.on_progress("c1", "ringing", None)
    await asyncio.sleep(1)
    scene.pbx.listener.on_progress("c1", "done", None)
    scene.pbx.change_calls("101", talking("c2"))
    scene.pbx.outcome = Outcome("failed", "congestion")
    await first.ask("blind", "103", call="c2")
    await first.ask("blind", "0301234567", call="c2")


async def take(folder):
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as place:
        scene = ConsoleScene(Path(place), is_embedded=True)
        scene.timing = dataclasses.replace(USUAL, resend_s=60.0)  # a phone that is pending is no fault yet
        await begin(scene)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium.find(), args=["--no-sandbox"])
            for name, path, size, scheme in _PICTURES:
                page = await (await browser.new_context(viewport=size, color_scheme=scheme)).new_page()
                await page.goto(f"{scene.address}/sign-in?next={path}")
                await page.fill("[name=name]", "anna")
                await page.fill("[name=password]", PASSWORD)
                await page.click("text=Sign in")
                await page.locator("html[data-live=live]").wait_for()
                if name == "why":
                    await page.locator("summary").first.click()
                await page.screenshot(path=folder / f"{name}.png")
            await browser.close()
        await scene.stop()


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1]).absolute()))
