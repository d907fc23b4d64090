"""The page *Why did it not work?* in a real browser: timelines with their sentence on top, live, filtered, exported."""

import csv
import io
import json
from urllib.parse import urlencode

from attack_lab.scenery.waiting import until
from phoneterm.core import messages
from phoneterm_bridge.administration.why import answer_why
from phoneterm_bridge.pbx.port import Outcome
from playwright.async_api import expect


async def begin(console):
    terminal = await console.terminal()
    await terminal.hello()
    return terminal


async def test_a_transfer_is_told_while_it_happens(console, open_page):
    terminal = await begin(console)
    page = await open_page("/why", "vera")
    await expect(page.get_by_text("Nothing was keyed yet.")).to_be_visible()
    await terminal.ask("attended", "102")
    story = page.get_by_role("article").first
    await expect(story.locator(".result")).to_have_text("not over")
    await story.get_by_text("Step by step").click()
    console.pbx.listener.on_progress("c1", "consulting", None)
    await expect(story).to_contain_text("connected the two, the caller on hold")
    console.pbx.listener.on_progress("c1", "done", None)
    await expect(story.locator(".result")).to_have_text("worked")
    await expect(story.locator("details")).to_have_attribute("open", "")  # what came did not close it
    await expect(page.get_by_role("article")).to_have_count(1)
    assert page.mistakes == []


async def test_the_sentence_on_top_is_the_one_that_the_command_line_says(console, open_page):
    terminal = await begin(console)
    await terminal.ask("blind", "0301234567")
    await until(lambda: answer_why(console.engine, "101", None)["not_known"])  # its firmware has been noted
    page = await open_page("/why?extension=101")
    story = page.get_by_role("article").first
    answer = answer_why(console.engine, "101", None)
    unknown = answer["not_known"]
    sentence = answer["sentence"].removesuffix(unknown).strip()
    assert "this phone may not send callers to numbers of that kind" in sentence
    await expect(story.get_by_role("heading")).to_have_text(sentence)
    await expect(page.locator("#not-known")).to_have_text(unknown)
    await expect(story.locator(".result")).to_have_text("did not work")
    await expect(story.locator(".checks .bad")).to_contain_text("the permission")


async def test_what_the_phone_itself_has_refused_is_told_too(console, open_page):
    terminal = await begin(console)
    page = await open_page("/why")
    await terminal.send(messages.REFUSAL, {"boot": "b001", "count": 1, "ago_s": 0, "reason": "no-number"})
    await expect(page.get_by_role("article").get_by_role("heading")).to_contain_text("The phone itself refused it")


async def test_filters_by_terminal_number_result_and_reason_count_for_what_comes_too(console, open_page):
    terminal = await begin(console)
    await terminal.ask("blind", "0301234567")
    await terminal.ask("blind", "199")
    page = await open_page("/why")
    await expect(page.get_by_role("article")).to_have_count(2)
    await page.get_by_label("Result or reason").fill("unknown-number")
    await page.get_by_role("button", name="Look").click()
    await expect(page.get_by_role("article")).to_have_count(1)
    await expect(page.locator(".active")).to_contain_text("result unknown-number")
    await expect(page.locator("html")).to_have_attribute("data-live", "live")
    await terminal.ask("blind", "0301234567")
    await terminal.ask("blind", "198")
    await expect(page.locator("article:not([hidden])")).to_have_count(2)
    await page.get_by_role("link", name="Show everything").click()
    await expect(page.get_by_role("article")).to_have_count(4)
    for query, count in (("number=1", 4), ("number=198", 1), ("extension=101", 4), ("terminal=phone-102", 0)):
        await page.goto(f"/why?{query}")
        await expect(page.locator("article")).to_have_count(count)
    for query, count in (("since=2020-01-31 14:05", 4), ("until=2020-01-31 14:05", 0)):
        await page.goto(f"/why?{query}")
        await expect(page.locator("article")).to_have_count(count)
        await expect(page.locator(".active")).to_contain_text(query.replace("=", " "))
    await page.goto("/why?since=nonsense")
    await expect(page.get_by_role("alert")).to_contain_text("is not written as 14:05")


async def test_the_export_has_the_same_and_no_cell_that_a_spreadsheet_would_calculate(console):
    terminal = await begin(console)
    await terminal.ask("blind", "199")
    await until(lambda: console.bridge.parts.journal.queued == 0)
    who = await console.sign_in("vera")
    _, headers, text = await console.ask("/why.csv", headers=who)
    assert 'filename="why.csv"' in headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["number"], row["result"], row["reason"]) for row in rows] == [("199", "rejected", "unknown-number")]
    found = json.loads((await console.ask("/why.json?result=done", headers=who))[2])
    assert found == []


async def test_a_story_has_an_address_of_its_own(console, open_page):
    terminal = await begin(console)
    console.pbx.outcome = Outcome("failed", "congestion")
    await terminal.ask("blind", "102")
    page = await open_page("/why")
    await page.get_by_role("link", name="Link to this transfer").click()
    await expect(page.get_by_text("could not do it, because all lines were busy")).to_be_visible()
    await page.goto("/why/1")
    await expect(page.get_by_text("There is no such command in the journal.")).to_be_visible()


async def test_a_command_that_cannot_be_in_the_journal_is_not_there(console):
    who = await console.sign_in("vera")
    for entry in (0, 2**63 - 1, 2**63, 10**40):
        status, _, text = await console.ask(f"/why/{entry}", headers=who)
        assert (status, "There is no such command" in text) == (404, True)


async def test_any_time_of_the_past_can_be_asked_for(console):
    terminal = await begin(console)
    await terminal.ask("blind", "0301234567")
    who = await console.sign_in("vera")
    for time, count in (("1000-01-01", (1, 0)), ("1900-01-01 00:00", (1, 0)), ("1970-01-02", (1, 0))):
        found = []
        for name in ("since", "until"):
            status, _, text = await console.ask(f"/why.json?{urlencode({name: time})}", headers=who)
            assert status == 200
            found.append(len(json.loads(text)))
        assert tuple(found) == count
    assert (await console.ask("/why.xml", headers=who))[0] == 404
