"""The page *Terminals* in a real browser: live, searched, filtered, sorted; many at once after a preview; enrolling."""

import json

import pytest
from attack_lab.scenery.waiting import until
from phoneterm.core import messages
from phoneterm_bridge.broker.terminal_document import decode
from playwright.async_api import expect


@pytest.fixture
def fleet(console):
    """Further terminals at 102, 103 and 104, of three users."""
    made = {}
    for number, user in (("102", "berta"), ("103", "carl"), ("104", "dora")):
        console.directory.add_user(user, True)
        console.directory.add_extension(number, user)
        made[number] = console.directory.add_terminal(f"phone-{number}", number)
    return made


async def shown(page):
    rows = page.locator("#terminals tr:not([hidden]) th")
    return [text.split("\n")[0] for text in await rows.all_inner_texts()]


async def test_the_list_follows_what_terminals_and_calls_do(console, open_page):
    page = await open_page("/terminals")
    row = page.locator("#t-phone-101")
    await expect(row).to_contain_text("never seen")
    terminal = await console.terminal()
    await terminal.hello()
    await expect(row.locator(".state")).to_have_text("online")
    await expect(row).to_contain_text("talking")
    await expect(row).to_contain_text("pending")
    await terminal.send(messages.TELEMETRY, {"uptime_s": 60, "rssi": -75, "gap_p99_ms": 33})
    await expect(row.locator(".signal")).to_have_text("weak")
    await expect(row.locator(".scan")).to_have_text("late: 33 ms")
    console.pbx.change_calls("101")
    await expect(row).to_contain_text("idle")
    await terminal.send(messages.ACK, {"permissions": 0, "config": 0, "error": "the memory is too short to read it"})
    await expect(row.locator(".trouble")).to_contain_text("the memory is too short to read it")
    await terminal.send(messages.STATE, {"boot": "b001", "state": "offline"}, is_retained=True)
    await expect(row).to_contain_text("offline")
    console.directory.add_extension("105", "tech1")
    console.directory.add_terminal("phone-105", "105")
    await expect(page.locator("#t-phone-105")).to_be_visible()
    console.directory.remove_terminal("phone-105")
    await expect(page.locator("#t-phone-105")).to_have_count(0)
    assert page.mistakes == []


async def test_a_page_that_nobody_sees_has_no_stream_and_catches_up_when_it_is_seen_again(console, open_page):
    page = await open_page("/terminals")
    streams = console.bridge.console.streams
    await until(lambda: streams.count == 1)
    turn = "(state) => { Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });"
    turn += " document.dispatchEvent(new Event('visibilitychange')); }"
    await page.evaluate(turn, "hidden")
    await until(lambda: streams.count == 0)
    console.directory.add_extension("105", "tech1")
    console.directory.add_terminal("phone-105", "105")
    await console.bridge.refresh()
    await page.evaluate(turn, "visible")
    await expect(page.locator("#t-phone-105")).to_be_visible()
    assert page.mistakes == []


async def test_filters_are_in_sight_and_one_button_clears_them(console, fleet, open_page):
    page = await open_page("/terminals")
    assert await shown(page) == ["phone-101", "phone-102", "phone-103", "phone-104"]
    await expect(page.locator("[data-active]")).to_be_hidden()
    await page.get_by_label("Search").fill("berta")
    assert await shown(page) == ["phone-102"]
    await expect(page.locator("[data-active]")).to_contain_text("search: berta")
    await expect(page.locator(".found")).to_have_text("1 of 4")
    await page.get_by_label("State").select_option("online")
    await expect(page.get_by_text("No terminal is like this.")).to_be_visible()
    terminal = await console.terminal(fleet["102"])
    await terminal.hello()
    await expect(page.locator("#t-phone-102")).to_be_visible()  # a filter counts for what changes, too
    await page.reload()
    await expect(page.locator("[data-active]")).to_contain_text("state: online")
    assert await shown(page) == ["phone-102"]
    await page.get_by_role("button", name="Show everything").click()
    assert len(await shown(page)) == 4
    await expect(page.locator("[data-active]")).to_be_hidden()
    assert page.mistakes == []


async def test_a_page_that_loads_itself_anew_keeps_its_filters_and_what_is_chosen(console, fleet, open_page):
    page = await open_page("/terminals")
    await page.get_by_label("Search").fill("berta")
    await page.get_by_label("Choose phone-102").check()
    await page.evaluate("document.querySelector('h1').textContent = 'old'")
    streams = console.bridge.console.streams
    streams.say("terminals", {"do": "reload"})
    await streams.flush()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Terminals")
    await expect(page.get_by_label("Search")).to_have_value("berta")
    await expect(page.locator(".found")).to_have_text("1 of 4")
    await expect(page.locator("[data-active]")).to_contain_text("search: berta")
    await expect(page.get_by_label("Choose phone-102")).to_be_checked()
    assert await shown(page) == ["phone-102"]
    assert page.mistakes == []


async def test_the_list_is_sorted_by_a_click_on_a_heading(console, fleet, open_page):
    page = await open_page("/terminals")
    await page.get_by_role("button", name="User").click()
    assert await shown(page) == ["phone-102", "phone-103", "phone-104", "phone-101"]
    await page.get_by_role("button", name="User").click()
    assert await shown(page) == ["phone-101", "phone-104", "phone-103", "phone-102"]
    await expect(page.get_by_role("columnheader", name="User")).to_have_attribute("aria-sort", "descending")


async def test_many_are_changed_at_once_after_a_preview_of_who_is_affected(console, fleet, open_page):
    console.directory.revoke_terminal("phone-104")
    await console.bridge.refresh()
    page = await open_page("/terminals", "otto")
    await page.get_by_label("Search").fill("phone-10")
    await page.get_by_label("Choose all that are shown").check()
    await expect(page.locator("#many")).to_contain_text("4 chosen")
    await page.get_by_label("Change").select_option("deny-blind")
    await page.get_by_role("button", name="Preview").click()
    preview = page.locator("#bulk-preview")
    await expect(preview).to_contain_text("3 terminals: each may not do blind transfers any more")
    await expect(preview).to_contain_text("Not affected: phone-104 (it is revoked)")
    assert console.bridge.parts.directory.find("phone-101").allows_blind  # it was a preview
    await page.get_by_role("button", name="Do it").click()
    await expect(page.locator("#said")).to_have_text("3 terminals may not do blind transfers any more.")
    assert not any(one.allows_blind for one in console.bridge.parts.directory.snapshot.terminals.values()
                   if not one.is_revoked)  # fmt: skip
    assert console.changes("phone-102")[0].who == "console:otto"
    await expect(page.locator("#many")).to_be_hidden()
    assert page.mistakes == []


async def test_a_terminal_shows_itself_and_one_that_is_away_is_said_to_be(console, open_page):
    terminal = await console.terminal()
    await terminal.hello()
    page = await open_page("/terminals/phone-101", "otto")
    await page.get_by_role("button", name="Identify").click()
    await expect(page.locator("#said")).to_have_text("phone-101 was told to show itself.")
    assert terminal.heard(messages.REQUEST)[-1]["op"] == "identify"
    assert console.changes("phone-101")[0].who == "console:otto"
    await terminal.send(messages.STATE, {"boot": "b001", "state": "offline"}, is_retained=True)
    await expect(page.locator("#t-phone-101")).to_contain_text("offline")
    await page.get_by_role("button", name="Identify").click()
    await expect(page.locator("#said")).to_contain_text("phone-101 was not told to identify: it is not online.")


async def test_what_no_board_could_use_is_refused_before_anything_is_enrolled(console, open_page):
    console.directory.add_extension("102", "tech1")
    page = await open_page("/terminals/enrol")
    await page.get_by_label("Extension").fill("102")
    await page.get_by_label("The broker's address").fill("broker.example")
    await page.get_by_role("button", name="Enrol").click()
    await expect(page.locator("#said")).to_contain_text("No board would connect to this broker")
    assert console.bridge.parts.directory.find("phone-102") is None


async def test_what_is_handed_out_is_the_file_that_a_board_takes(tmp_path, browser, console_without_tls):
    console = console_without_tls
    who = await console.sign_in("anna")
    console.directory.add_extension("102", "tech1")
    fields = {"extension": "102", "mqtt_host": "broker.example"}
    assert (await console.post(who, "/terminals/enrol", **fields, group="=cmd()"))[0] == 409
    assert console.bridge.parts.directory.find("phone-102") is None
    status, text = await console.post(who, "/terminals/enrol", **fields, group="Berlin")
    assert status == 200, text
    assert console.bridge.parts.directory.snapshot.groups == {"phone-102": "Berlin"}
    page = await browser.new_page()
    await page.set_content(json.loads(text)["put"]["handed-out"])
    document = await page.locator("#settings-text").text_content()
    decoded = decode(document)
    assert (decoded.extension, decoded.texts["tid"]) == ("102", "phone-102")
    await expect(page.locator(".command")).to_have_text("phoneterm device provision --settings phone-102.json")
    assert await page.locator(".picture svg path").count() == 1
    await page.close()
    assert {one.who for one in console.changes("phone-102")} == {"console:anna"}


async def test_revoking_asks_first(console, open_page):
    page = await open_page("/terminals/phone-101")
    await page.get_by_role("button", name="Revoke for good").click()
    await page.get_by_role("dialog").get_by_role("button", name="No").click()
    assert console.bridge.parts.directory.find("phone-101") is not None
    await page.get_by_role("button", name="Revoke for good").click()
    await page.get_by_role("dialog").get_by_role("button", name="Yes").click()
    await expect(page.locator("#t-phone-101")).to_contain_text("revoked")
    assert console.bridge.parts.directory.find("phone-101") is None
