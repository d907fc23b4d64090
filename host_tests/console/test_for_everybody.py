"""The pages for everybody: axe-core, a small phone's screen, the keyboard alone; and text from outside is only text."""

import json

import pytest
from console.conftest import PASSWORD
from phoneterm.core import messages
from phoneterm_bridge.console.templates_of import make_templates
from phoneterm_bridge.pbx.port import Outcome
from playwright.async_api import expect

PAGES = (
    "/terminals", "/terminals/phone-101", "/terminals/enrol", "/users", "/users/tech1", "/why", "/changes", "/health",
    "/import", "/accounts", "/account",
)  # fmt: skip


async def fill(console):
    """Let there be something on every page."""
    terminal = await console.terminal()
    await terminal.hello()
    await console.confirm(terminal)
    await terminal.send(messages.TELEMETRY, {"uptime_s": 60, "rssi": -75, "gap_p99_ms": 33})
    await terminal.ask("blind", "0301234567")
    console.pbx.outcome = Outcome("failed", "congestion")
    await terminal.ask("blind", "102")
    console.directory.add_extension("190", "tech1", extension_type="fax")
    console.bridge.parts.troubles.begin("phone-101", "config", "the memory is too short to read it")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_serious(console, open_page, need_npm_packages, theme):
    await fill(console)
    axe = (need_npm_packages / "axe-core" / "axe.min.js").read_text()
    page = await open_page("/terminals", color_scheme=theme)
    found = []
    for path in PAGES:
        await page.goto(path)
        if path == "/why":
            for summary in await page.locator("summary").all():
                await summary.click()
        if path == "/health":
            await page.get_by_role("button", name="Examine now").click()
            await page.locator("#findings li").first.wait_for()
        if path == "/terminals":
            await page.get_by_label("Choose all that are shown").check()
            await page.get_by_label("Change").select_option("group")
            await page.locator("#many [name=group]").fill("Berlin, 2nd floor")
            await page.get_by_role("button", name="Preview").click()
            await page.locator("#carry-out").wait_for()
            await page.get_by_text("Berlin, 2nd floor is a new group.").wait_for()
        await page.evaluate(axe)
        result = await page.evaluate("axe.run({ resultTypes: ['violations'] })")
        found += [
            f"{path}: {one['id']} ({one['impact']}) {one['nodes'][0]['target']} {one['nodes'][0]['failureSummary']}"
            for one in result["violations"]
            if one["impact"] in ("serious", "critical")
        ]
    assert found == []


async def test_the_sign_in_page_is_for_everybody_too(console, browser, need_npm_packages):
    page = await browser.new_page()
    await page.goto(f"{console.address}/sign-in")
    await page.evaluate((need_npm_packages / "axe-core" / "axe.min.js").read_text())
    result = await page.evaluate("axe.run({ resultTypes: ['violations'] })")
    assert [one["id"] for one in result["violations"]] == []


async def test_nothing_is_wider_than_a_small_phone(console, open_page):
    await fill(console)
    page = await open_page("/terminals", viewport={"width": 360, "height": 740}, has_touch=True)
    wide = []
    for path in PAGES:
        await page.goto(path)
        if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(path)
    assert wide == []


async def test_a_finger_chooses_sorts_and_changes_many_on_a_small_phone(console, open_page):
    await fill(console)
    console.directory.add_extension("102", "tech1")
    console.directory.add_terminal("phone-102", "102")
    await console.bridge.refresh()
    page = await open_page("/terminals", viewport={"width": 360, "height": 740}, has_touch=True)
    first = page.locator("#terminals tr").first
    await page.get_by_role("button", name="Ext.").tap()
    await page.get_by_role("button", name="Ext.").tap()
    await expect(first).to_have_attribute("id", "t-phone-102")
    await page.get_by_label("Choose all that are shown").tap()
    await page.get_by_label("Change").select_option("deny-blind")
    await page.get_by_role("button", name="Preview").tap()
    await page.get_by_role("button", name="Do it").tap()
    await expect(page.locator("#said")).to_have_text("2 terminals may not do blind transfers any more.")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360


async def test_a_whole_visit_with_the_keyboard_alone(console, browser):
    await fill(console)
    page = await browser.new_page()
    await page.goto(f"{console.address}/sign-in?next=/terminals")
    await expect(page.locator("[name=name]")).to_be_focused()
    await page.keyboard.type("anna")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{console.address}/terminals")

    async def go_to(selector):
        for _ in range(60):
            await page.keyboard.press("Tab")
            if await page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"{selector} cannot be reached")

    await go_to("input[type=search]")
    await page.keyboard.type("phone-101")
    await go_to("input[name=terminal]")
    await page.keyboard.press("Space")
    for _ in range(60):
        await page.keyboard.press("Shift+Tab")
        if await page.evaluate("document.activeElement.matches('#many button.main')"):
            break
    await page.keyboard.press("Enter")
    await expect(page.locator("#carry-out")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")  # leave it, and choose another change by its first letters
    await expect(page.get_by_label("Change")).to_be_focused()
    await page.keyboard.type("forbid blind")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#carry-out")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#said")).to_have_text("1 terminal may not do blind transfers any more.")
    await expect(page.get_by_label("Choose all that are shown")).to_be_focused()
    await go_to("a[href='/terminals/phone-101']")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/terminals/phone-101")


EVIL = "<script>evil()</script>\"'><img src=x onerror=evil()>\x1b[31m\u202e"


async def test_text_from_outside_is_only_text_on_every_page(console, open_page):
    """A terminal names its firmware and board; a trouble quotes it; a change quotes a person."""
    terminal = await console.terminal()
    await terminal.hello()
    await console.confirm(terminal)  # else that is told as a trouble, too
    parts = console.bridge.parts
    seen = parts.sightings.find("phone-101")
    parts.sightings._known["phone-101"] = seen._replace(firmware=EVIL[:16], board=EVIL[:40])
    parts.troubles.begin("phone-101", "config", EVIL)
    console.directory.note_settings(EVIL)
    page = await open_page("/terminals")
    for path in ("/terminals", "/terminals/phone-101", "/changes", "/health"):
        await page.goto(path)
        await expect(page.locator("html")).to_have_attribute("data-live", "live")
        assert await page.evaluate("document.querySelectorAll('main script, main img').length") == 0
        if path != "/health":
            assert await page.locator("main").get_by_text("<script>").count() > 0
    parts.troubles.begin("phone-101", "memory", EVIL + "live")
    await page.goto("/terminals")
    await expect(page.locator("html")).to_have_attribute("data-live", "live")
    parts.troubles.begin("phone-101", "twice", EVIL)
    await expect(page.locator(".trouble", has_text="<script>")).to_have_count(3)
    assert await page.evaluate("document.querySelectorAll('main script, main img').length") == 0
    assert page.mistakes == []


def test_what_is_not_printable_never_gets_onto_a_page():
    template = make_templates().from_string("{{ text }}|{{ more|lines }}")
    assert template.render(text="\x1b[31m\u202e<b>", more="a\x07\n<i>") == "\\x1b[31m\\u202e&lt;b&gt;|a\\x07\n&lt;i&gt;"


async def test_a_formula_stays_text_in_the_export(console):
    from phoneterm_bridge.console.pages.why import write_csv
    from phoneterm_bridge.console.stories import Story

    story = Story(1, "=cmd()", "+1", "@a", "-2", "\t3", "blind", 0, "done", "", "", "good", "", EVIL, 0, ())
    cells = write_csv([story]).splitlines()[1]
    for cell in ("'=cmd()", "'+1", "'@a", "'-2"):
        assert cell in cells
    assert "\x1b" not in cells


async def test_the_exports_address_is_no_way_around_the_sign_in(console):
    status, _, text = await console.ask("/why.json")
    assert (status, "sign in" in json.loads(text)["detail"]) == (401, True)
