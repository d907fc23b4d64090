"""The page *Roles and phone numbers* in a real browser: a box is flipped, becomes pending, and is then in force."""

import asyncio
import re
import threading
import time

from phoneterm.core import messages
from phoneterm_bridge.console.templates_of import make_templates
from playwright.async_api import expect


async def begin(console):
    terminal = await console.terminal()
    await terminal.hello()
    await console.confirm(terminal)
    return terminal


async def test_a_flipped_box_is_pending_until_the_terminal_has_confirmed_it_and_then_in_force(console, open_page):
    terminal = await begin(console)
    page = await open_page("/users/tech1", "otto")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Roles and phone numbers for tech1")
    standing = page.locator("#aware-standing")
    await expect(standing).to_contain_text("in force since")
    await page.get_by_role("switch", name="User is multi user aware").click()
    await expect(standing).to_contain_text("pending")
    assert terminal.heard(messages.PERMISSIONS)[-1]["multi_user_aware"] is False
    assert (await terminal.ask("blind", "102")) == ("rejected", "permission")
    await console.confirm(terminal)
    await expect(standing).to_contain_text("in force since")
    await expect(page.get_by_role("switch")).not_to_be_checked()
    change = console.changes("tech1")[0]
    assert (change.who, change.what, change.where) == (
        "console:otto", "multi user aware False", "console, from 127.0.0.1"
    )  # fmt: skip
    assert page.mistakes == []


async def test_what_others_change_back_at_once_is_seen_on_the_page_too(console, open_page):
    page = await open_page("/users/tech1", "otto")
    async with console.bridge.console._watch._lock:  # both changes come between two looks
        await page.get_by_role("switch").click()
        await expect(page.locator("#said")).to_have_text("tech1 is not multi user aware any more.")
        await expect(page.get_by_role("switch")).not_to_be_checked()
        await asyncio.to_thread(console.directory.set_multi_user_aware, "tech1", True)
    await expect(page.get_by_role("switch")).to_be_checked()


async def test_an_answer_that_comes_after_newer_news_does_not_undo_it(console, open_page):
    terminal = await begin(console)
    page = await open_page("/users/tech1", "otto")
    may_come = asyncio.Event()

    async def come_late(route):
        answer = await route.fetch()
        await may_come.wait()
        await route.fulfill(response=answer)

    async def answer_late(route):
        await (come_late(route) if route.request.method == "POST" else route.continue_())

    await page.route("**/users/**", answer_late)
    standing = page.locator("#aware-standing")
    await page.get_by_role("switch", name="User is multi user aware").click()
    await expect(standing).to_contain_text("pending")  # which the stream has brought
    await console.confirm(terminal)
    await expect(standing).to_contain_text("in force since")
    may_come.set()
    await expect(page.locator("#said")).to_have_text("tech1 is not multi user aware any more.")
    assert "in force since" in await standing.inner_text()
    assert page.mistakes == []


async def test_operations_and_destinations_are_flipped_for_each_terminal(console, open_page):
    terminal = await begin(console)
    page = await open_page("/users/tech1", "otto")
    await page.get_by_label("attended transfer").click()
    await expect(page.locator("#p-phone-101 .standing")).to_contain_text("pending")
    await page.get_by_label("national numbers", exact=True).click()
    await expect(page.locator("#said")).to_have_text("phone-101 may transfer to internal, national.")
    record = console.bridge.parts.directory.find("phone-101")
    assert (record.allows_attended, record.classes) == (False, ("internal", "national"))
    assert terminal.heard(messages.PERMISSIONS)[-1]["classes"] == ["internal", "national"]
    await console.confirm(terminal)
    await expect(page.locator("#p-phone-101 .standing")).to_contain_text("in force since")
    assert page.mistakes == []


async def test_two_boxes_that_are_flipped_at_once_both_count(console):
    who = await console.sign_in("otto")
    operations, both = console.bridge.console.site.operations, threading.Barrier(2, timeout=20)
    make_directory = operations._directory

    def make_when_both_are_there(visitor):
        both.wait()
        return make_directory(visitor)

    operations._directory = make_when_both_are_there
    flips = [{"what": f"class:{name}", "on": "yes", "terminal": "phone-101"} for name in ("national", "international")]
    answers = await asyncio.gather(*(console.post(who, "/users/tech1", **fields) for fields in flips))
    assert [status for status, _ in answers] == [200, 200]
    assert set(console.bridge.parts.directory.find("phone-101").classes) == {"internal", "national", "international"}


async def test_a_class_that_is_no_more_does_not_stand_in_the_way_of_others(console):
    console.directory.set_classes("phone-101", ("internal", "longgone"))
    await console.bridge.refresh()
    who = await console.sign_in("otto")
    status, text = await console.post(who, "/users/tech1", what="class:national", on="yes", terminal="phone-101")
    assert (status, "longgone, national" in text) == (200, True)
    status, text = await console.post(who, "/users/tech1", what="class:invented", on="yes", terminal="phone-101")
    assert (status, "There is no class invented" in text) == (409, True)


async def test_for_a_terminal_that_is_away_it_is_said_that_it_counts_at_its_next_start(console, open_page):
    page = await open_page("/users/tech1", "otto")
    await expect(page.locator("#aware-standing")).to_contain_text("at next start")
    await page.get_by_role("switch").click()
    await expect(page.locator("#said")).to_have_text("tech1 is not multi user aware any more.")
    await expect(page.locator("#aware-standing")).to_contain_text("at next start")
    terminal = await begin(console)
    assert terminal.heard(messages.PERMISSIONS)[-1]["multi_user_aware"] is False
    await expect(page.locator("#aware-standing")).to_contain_text("in force since")
    assert page.mistakes == []


async def test_of_several_terminals_those_are_named_that_it_is_not_in_force_at(console, open_page):
    await begin(console)
    console.directory.add_terminal("phone-2", "101")
    await console.bridge.refresh()
    page = await open_page("/users/tech1")
    await expect(page.locator("#aware-standing")).to_have_text("at next start: phone-2 is away")
    await expect(page.locator("#p-phone-101 .standing")).to_contain_text("in force since")


def test_since_when_something_is_in_force_has_the_day_unless_it_is_today():
    template = make_templates().from_string("{{ at_ms|since }}")
    long_ago, now = template.render(at_ms=1_600_000_000_000), template.render(at_ms=time.time_ns() // 1_000_000)
    assert re.search(r">2020-09-13 \d\d:26:40 ", long_ago)
    assert re.search(r">\d\d:\d\d:\d\d<", now)


async def test_only_phone_terminals_are_offered_it_and_the_others_say_why_not(console, open_page):
    console.directory.add_extension("190", "tech1", extension_type="fax")
    console.directory.add_user("fax")
    console.directory.add_extension("191", "fax", extension_type="fax")
    page = await open_page("/users/tech1")
    why_not = "is of the type fax; only a phone terminal has a keypad to transfer with."
    await expect(page.get_by_text(f"190 {why_not}")).to_be_visible()
    await expect(page.get_by_role("switch")).to_be_enabled()
    await page.goto("/users/fax")
    await expect(page.get_by_role("switch")).to_be_disabled()
    await expect(page.locator("#aware-note")).to_have_text(
        "fax has no extension of the type phone terminal, so there is no keypad to transfer with."
    )
    await expect(page.get_by_text(f"191 {why_not}")).to_be_visible()


async def test_what_the_command_line_changes_is_seen_at_once_and_a_viewer_cannot_change_it(console, open_page):
    await begin(console)
    page = await open_page("/users/tech1", "vera")
    await expect(page.get_by_role("switch")).to_be_disabled()
    await expect(page.get_by_role("switch")).to_be_checked()
    console.directory.set_multi_user_aware("tech1", False)
    await expect(page.get_by_role("switch")).not_to_be_checked()
    await expect(page.locator("#aware-standing")).to_contain_text("pending")


async def test_it_is_done_with_the_keyboard_alone(console, open_page):
    terminal = await begin(console)
    page = await open_page("/users/tech1", "otto")
    await page.keyboard.press("Tab")
    await expect(page.get_by_text("Skip to the page")).to_be_focused()
    await page.keyboard.press("Enter")
    for _ in range(20):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.dataset.what") == "aware":
            break
    await page.keyboard.press("Space")
    await expect(page.locator("#aware-standing")).to_contain_text("pending")
    await expect(page.get_by_role("switch")).to_be_focused()  # what came did not take the place away
    await console.confirm(terminal)
    await expect(page.locator("#aware-standing")).to_contain_text("in force since")
    await expect(page.get_by_role("switch")).to_be_focused()


async def test_of_an_extension_without_a_terminal_a_link_leads_to_enrolling_one(console, open_page):
    console.directory.add_user("berta", True)
    console.directory.add_extension("102", "berta")
    page = await open_page("/users/berta")
    await page.get_by_role("link", name="enrol one").click()
    await expect(page.get_by_label("Extension")).to_have_value("102")
