"""The acceptance story on the console, from the first page to the connected call: real keypad, firmware and PBX."""

import pytest_asyncio
from attack_lab.scenery.waiting import until
from console.conftest import PASSWORD
from desk_lab.installation import CALLER, EXTENSION, USER, Installation, make_lab
from e2e.hand import Hand
from pbx_lab.legs import is_gone, is_talking
from playwright.async_api import expect


class DeskWithConsole(Installation):
    """A whole installation whose bridge has the console."""

    more_settings = ("console.enabled=true", "console.port=0")


@pytest_asyncio.fixture(params=["simulator", "asterisk"], loop_scope="session")
async def desk(request, tmp_path, need_part):
    """A desk whose user may not transfer yet; 103 talks to 101."""
    if request.param == "asterisk":
        need_part("asterisk")
        need_part("sipp")
    desk = DeskWithConsole(make_lab(request.param), tmp_path)
    await desk.start(is_allowed=False)
    await desk.place_call()
    yield desk
    await desk.stop()


async def test_from_the_first_page_to_the_connected_call(desk, browser, note):
    hand = Hand(desk, note)
    page = await (await browser.new_context()).new_page()
    await page.goto(desk.bridge.console.setup_link)
    await page.get_by_label("Name").fill("anna")
    await page.get_by_label("Password, 10 characters or more").fill(PASSWORD)
    await page.get_by_label("The same again").fill(PASSWORD)
    await page.get_by_role("button", name="Make the account").click()
    await expect(page.locator("#t-t101")).to_contain_text("talking")
    await page.get_by_role("row", name="t101").get_by_role("link", name=USER).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"Roles and phone numbers for {USER}")

    await hand.key("#1102")  # which the phone refuses by itself
    switch, standing = page.get_by_role("switch", name="User is multi user aware"), page.locator("#aware-standing")
    await expect(switch).not_to_be_checked()
    await switch.click()
    await expect(standing).to_contain_text("in force since")  # the terminal itself has said so

    second = await page.context.new_page()
    await second.goto(page.url.partition("/users")[0] + "/why")
    await expect(second.get_by_role("article").first).to_contain_text("The phone itself refused it")
    await hand.key("#1102")
    await desk.lab.wait_until(lambda legs: is_talking(legs, CALLER, "102") and is_gone(legs, EXTENSION))
    story = second.get_by_role("article").first
    await expect(story.locator(".result")).to_have_text("worked")
    await expect(story.get_by_role("heading")).to_contain_text("101 keyed #1 and 102. It worked: the caller was sent")
    await until(lambda: desk.bridge.console.streams.count == 2)
