"""What somebody does on a page is never lost: not before it is ready, not while it is brought up to date."""

import asyncio

from attack_lab.scenery.waiting import until
from browser import delay_first, swallow_first
from phoneterm_bridge.store.accounts import read_accounts
from playwright.async_api import expect


async def open_unready(page, path):
    """Open a page whose modules have not come yet; return what lets them come."""
    may_come = asyncio.Event()

    async def hold(route):
        await may_come.wait()
        await route.continue_()

    await page.route("**/static/forms.js", hold)
    await page.goto(path, wait_until="commit")
    return may_come.set


async def test_what_is_clicked_before_a_page_is_ready_is_done_when_it_is(console, open_page):
    page = await open_page("/accounts")
    let_come = await open_unready(page, "/accounts")
    await page.get_by_role("button", name="Remove vera").click()
    let_come()
    await page.get_by_role("dialog").get_by_role("button", name="Yes").click()
    await expect(page.get_by_role("button", name="Remove vera")).to_have_count(0)
    assert "vera" not in read_accounts(console.engine)
    let_come = await open_unready(page, "/users/tech1")
    await page.get_by_role("switch").click()
    let_come()
    await expect(page.locator("#said")).to_have_text("tech1 is not multi user aware any more.")
    let_come = await open_unready(page, "/terminals/phone-101")
    await page.get_by_role("button", name="Identify").dblclick()
    let_come()
    await expect(page.locator("#said")).to_contain_text("is not online")
    assert len(page.mistakes) == 1  # the refusal


async def test_a_password_never_gets_into_the_address_of_a_page_that_is_not_ready(console, open_page):
    page = await open_page("/accounts")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    let_come = await open_unready(page, "/accounts")
    form = page.locator("form", has=page.get_by_role("button", name="Add", exact=True))
    await form.get_by_label("Name").fill("emil")
    for label in ("Password", "The same again"):
        await form.get_by_label(label).fill("emil's horse")
    await page.keyboard.press("Enter")
    let_come()
    await expect(page.get_by_role("button", name="Remove emil")).to_be_visible()
    assert not any("horse" in url for url in asked)


async def test_a_button_that_is_clicked_twice_does_it_once(console_without_tls, browser):
    console = console_without_tls
    context = await browser.new_context(base_url=console.address)
    await context.add_cookies([await console.make_cookie("anna")])
    page = await context.new_page()
    await page.goto("/terminals/enrol")
    await page.get_by_label("Extension").fill("101")
    await page.get_by_label("Its id").fill("second")
    await page.get_by_label("The broker's address").fill("broker.example")
    await page.get_by_role("button", name="Enrol").dblclick()
    await expect(page.locator("#handed-out")).to_contain_text("second is enrolled.")
    await expect(page.locator("#said")).to_have_text("second is enrolled.")


async def test_secrets_that_are_shown_only_once_and_a_form_that_is_begun_outlive_a_page_brought_up_to_date(
    console, open_page
):
    page = await open_page("/accounts")
    await page.get_by_label("What it is for").fill("wallboard")
    await page.get_by_role("button", name="Make a token").click()
    token = await page.locator("#new-token pre").inner_text()
    await page.get_by_label("Name", exact=True).fill("emil")
    await page.get_by_label("Password").fill("emil's horse")  # and the name has the focus no more
    await page.evaluate("import('/static/live.js').then((live) => live.loadAgain())")
    await expect(page.get_by_role("button", name="Remove wallboard")).to_be_visible()  # it is up to date
    assert await page.locator("#new-token pre").inner_text() == token
    await expect(page.get_by_label("Name", exact=True)).to_have_value("emil")
    await expect(page.get_by_label("Password")).to_have_value("emil's horse")
    assert page.mistakes == []


async def test_a_page_too_many_goes_on_without_losing_what_is_typed(console, open_page):
    console.bridge.console.streams._most = 1
    first = await open_page("/terminals")
    page = await first.context.new_page()
    await page.goto("/account")
    await expect(page.locator("html")).to_have_attribute("data-live", "away")
    await page.get_by_label("The old one").fill("correct horse")
    await page.evaluate("window.isSame = true")
    async with page.expect_response(lambda answer: answer.request.method == "HEAD"):
        pass  # it has asked why
    await first.close()
    await expect(page.locator("html")).to_have_attribute("data-live", "live")
    assert await page.evaluate("window.isSame")
    await expect(page.get_by_label("The old one")).to_have_value("correct horse")


async def test_words_in_an_address_that_are_no_filter_change_nothing(open_page):
    page = await open_page("/terminals?length=1&constructor=2&item=3&q=phone")
    await expect(page.locator("[data-active]")).to_contain_text("search: phone")
    assert page.mistakes == []


async def test_a_key_that_is_pressed_once_more_takes_nothing_away(console, open_page):
    page = await open_page("/accounts")
    await page.get_by_role("button", name="Remove vera").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_contain_text("Remove the account vera?")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    assert "vera" in read_accounts(console.engine)


async def test_a_switch_that_is_flipped_twice_ends_as_it_was_flipped_last(console, open_page):
    page = await open_page("/users/tech1", "otto")
    await delay_first(page, "/users/tech1")
    before = len(console.changes("tech1"))
    for _ in range(2):
        await page.get_by_role("switch").click()
    await until(lambda: len(console.changes("tech1")) == before + 2)
    changes = console.changes("tech1")
    assert [change.what for change in changes[:2]] == ["multi user aware True", "multi user aware False"]
    await expect(page.get_by_role("switch")).to_be_checked()


async def test_a_switch_that_gets_no_answer_holds_nothing_up_for_ever(console, open_page):
    page = await open_page("/users/tech1", "otto")
    await page.clock.install()
    swallowed = await swallow_first(page, "/users/tech1")
    before = len(console.changes("tech1"))
    await page.get_by_role("switch").click()
    await until(lambda: swallowed)
    await page.clock.fast_forward(15_000)
    await expect(page.locator("#said")).to_contain_text("nothing is known about what was asked")
    await expect(page.get_by_role("switch")).to_be_checked()
    await page.get_by_role("switch").click()
    await expect(page.locator("#said")).to_have_text("tech1 is not multi user aware any more.")
    assert len(console.changes("tech1")) == before + 1
