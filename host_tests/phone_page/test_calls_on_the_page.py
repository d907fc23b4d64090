"""The page from its first sight to the connected call: keys are clicked, and the picture moves as the PBX moves."""

import pytest
from browser import delay_first
from desk_lab.installation import CALLER, EXTENSION
from pbx_lab.legs import are_alone
from phone_page.conftest import BOTH, card_of
from playwright.async_api import expect

on_both = pytest.mark.parametrize("desk", BOTH, indirect=True)


def tag_of(page, endpoint):
    """Return the letter of the call that a phone is in."""
    return card_of(page, endpoint).locator(".tag")


@pytest.mark.parametrize("desk", [*BOTH, "voipnow"], indirect=True)
async def test_from_the_first_page_to_the_connected_call(desk, open_page, hand_on):
    page = await open_page()
    await expect(card_of(page, CALLER)).to_contain_text("talks to 101")
    await expect(tag_of(page, CALLER)).to_have_text("Call A")
    await hand_on(page).key("#1102")
    await expect(card_of(page, "102")).to_contain_text("talks to 103")
    await expect(card_of(page, CALLER)).to_contain_text("talks to 102")
    await expect(tag_of(page, "102")).to_have_text("Call A")  # the caller's call has moved
    await expect(card_of(page, EXTENSION)).to_contain_text("no call")
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, "102"))
    await expect(page.locator("#display")).to_contain_text("Transferred")
    await expect(page.locator("#lines")).to_contain_text("102 talks to 103; 103 talks to 102")
    assert page.mistakes == []


@on_both
async def test_a_consultation_shows_two_calls_until_the_receiver_is_put_back(desk, open_page, hand_on):
    page = await open_page()
    await hand_on(page).key("*2102")
    await expect(card_of(page, CALLER)).to_contain_text("is on hold: 101 is in call B")
    await expect(tag_of(page, CALLER)).to_have_text("Call A")
    await expect(card_of(page, EXTENSION)).to_contain_text("talks to 102")
    await expect(tag_of(page, EXTENSION)).to_have_text("Call B")
    await expect(page.locator("#cords .call")).to_have_count(2)
    await page.get_by_role("button", name="Receiver: put it back, which hangs up").click()
    await expect(card_of(page, "102")).to_contain_text("talks to 103")
    await expect(tag_of(page, "102")).to_have_text("Call A")
    await expect(page.get_by_role("button", name="Receiver: on the hook")).to_be_visible()
    await desk.lab.wait_until(lambda legs: are_alone(legs, CALLER, "102"))
    assert page.mistakes == []


@on_both
async def test_a_party_that_is_put_on_hold_is_shown_so_and_taken_back(desk, open_page):
    page = await open_page()
    await card_of(page, EXTENSION).get_by_role("button", name="Hold").click()
    await expect(card_of(page, CALLER)).to_contain_text("is on hold, by 101")
    await card_of(page, EXTENSION).get_by_role("button", name="Take back").click()
    await expect(card_of(page, CALLER)).to_contain_text("talks to 101")


@on_both
async def test_the_others_call_in_ring_are_answered_and_hang_up(desk, open_page):
    page = await open_page(reduced_motion="no-preference")
    await card_of(page, CALLER).get_by_role("button", name="Hang up").click()
    await expect(card_of(page, EXTENSION)).to_contain_text("no call")
    await card_of(page, EXTENSION).get_by_label("Next call").select_option("only rings")
    await card_of(page, "102").get_by_role("button", name="Call 101").click()
    await expect(card_of(page, EXTENSION)).to_contain_text("rings: 102 calls")
    await expect(card_of(page, "102")).to_contain_text("is calling 101")
    await expect(tag_of(page, EXTENSION)).to_have_text("Call B")
    await card_of(page, EXTENSION).get_by_role("button", name="Answer").click()
    await expect(card_of(page, EXTENSION)).to_contain_text("talks to 102")
    await card_of(page, "102").get_by_role("button", name="Hang up").click()
    await expect(card_of(page, "102")).to_contain_text("no call")
    assert page.mistakes == []


async def test_a_call_waits_for_what_was_chosen_before_it(desk, open_page):
    page = await open_page()
    choice = card_of(page, EXTENSION).get_by_label("Next call")
    await delay_first(page, await choice.get_attribute("data-behaviour"))
    await card_of(page, CALLER).get_by_role("button", name="Hang up").click()
    await expect(card_of(page, EXTENSION)).to_contain_text("no call")
    await choice.select_option("only rings")
    await card_of(page, "102").get_by_role("button", name="Call 101").click()
    await expect(card_of(page, EXTENSION)).to_contain_text("rings: 102 calls")


@on_both
async def test_a_call_to_a_phone_that_is_busy_is_refused_in_one_sentence(desk, open_page):
    page = await open_page()
    await card_of(page, CALLER).get_by_role("button", name="Hang up").click()
    await card_of(page, EXTENSION).get_by_label("Next call").select_option("finds it busy")
    await card_of(page, CALLER).get_by_role("button", name="Call 101").click()
    await expect(page.locator("#said")).to_have_text("The call from 103 to 101 was refused.")
    await expect(card_of(page, CALLER)).to_contain_text("no call")
    second = await open_page()
    await expect(card_of(second, EXTENSION).get_by_label("Next call")).to_have_value("busy")


async def test_the_permission_that_is_taken_away_on_the_page_is_felt_on_the_keypad(desk, open_page, hand_on_buttons):
    page = await open_page()
    await page.get_by_role("switch", name="101 may transfer").click()
    await expect(page.get_by_role("switch", name="101 may transfer")).not_to_be_checked()
    before = await desk.lab.legs()
    await hand_on_buttons(page).key("#1102")
    await expect(page.locator("#lines")).to_contain_text("refused: not permitted")
    assert await desk.lab.legs() == before


async def test_what_another_page_or_the_prompt_does_is_seen_too(desk, open_page):
    one, other = await open_page(), await open_page()
    await card_of(one, EXTENSION).get_by_label("Next call").select_option("only rings")
    await expect(card_of(other, EXTENSION).get_by_label("Next call")).to_have_value("ring")
    await desk.desk.hang_up(CALLER)
    for page in (one, other):
        await expect(card_of(page, CALLER)).to_contain_text("no call")


async def test_a_page_whose_stream_is_cut_says_so_comes_back_and_shows_what_it_missed(desk, open_page):
    page = await open_page()
    states = await page.evaluate_handle(
        """() => { const seen = []; new MutationObserver(() => seen.push(document.documentElement.dataset.live))
        .observe(document.documentElement, { attributeFilter: ["data-live"] }); return seen; }"""
    )
    for stream in tuple(desk.page.streams._streams):
        stream.end()
    await desk.desk.hang_up(CALLER)
    await expect(card_of(page, CALLER)).to_contain_text("no call")
    await expect(page.locator("#lines")).to_contain_text("no call")
    assert (await states.json_value())[:2] == ["away", "live"]
    assert page.mistakes == []


async def test_a_page_that_has_been_away_too_long_is_shown_anew(desk, open_page):
    page = await open_page()
    desk.page.streams._kept.clear()
    desk.page.streams._number += 1  # something was said that is not kept any more
    for stream in tuple(desk.page.streams._streams):
        stream.end()
    await desk.desk.hang_up(CALLER)
    await expect(card_of(page, CALLER)).to_contain_text("no call")
    await expect(page.locator("#cords .call")).to_have_count(0)


async def test_a_caller_who_is_connected_with_outside_is_shown_with_a_party_outside(desk, open_page):
    page = await open_page()
    await expect(card_of(page, "trunk")).to_have_count(0)
    await desk.desk.hang_up(CALLER)
    await desk.desk.call(CALLER, "0301234567")
    await expect(card_of(page, CALLER)).to_contain_text("talks to outside")
    await card_of(page, "trunk").get_by_role("button", name="Hang up").click()
    await expect(card_of(page, "trunk")).to_have_count(0)
    await expect(card_of(page, CALLER)).to_contain_text("no call")
