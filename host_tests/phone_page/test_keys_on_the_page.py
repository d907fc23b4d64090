"""The drawn phone is the phone: keys by mouse, finger and keyboard, held as long as they are; lamp, display, tones."""

import asyncio

import pytest
from attack_lab.scenery.waiting import until
from desk_lab.installation import EXTENSION
from phone_page.conftest import card_of, key_of
from playwright.async_api import expect

FIVE = [[1, 1]]
DEADLINE_S = 10


async def until_down(desk, contacts):
    """Wait until exactly these contacts are closed at the phone itself."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            while await desk.keys_down() != contacts:  # noqa: ASYNC110 - only the phone itself knows
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"{await desk.keys_down()} are down, not {contacts}") from None


def moves_of(desk):
    """Return all that the phone's contacts have done."""
    return [(event["legend"], event["closed"]) for event in desk.keypad.history if event["event"] == "contact"]


async def test_a_key_that_is_held_with_the_mouse_is_down_until_it_is_let_go(desk, open_page):
    page = await open_page()
    await key_of(page, "5").hover()
    await page.mouse.down()
    await expect(key_of(page, "5")).to_have_attribute("data-down", "yes")
    assert await desk.keys_down() == FIVE
    await page.mouse.move(5, 5)  # the button is still down
    assert await desk.keys_down() == FIVE
    await page.mouse.up()
    await expect(key_of(page, "5")).to_have_attribute("data-down", "no")
    assert await desk.keys_down() == []


async def test_a_key_that_is_held_on_the_keyboard_is_down_until_it_is_let_go(desk, open_page):
    page = await open_page()
    await page.keyboard.down("5")
    await until_down(desk, FIVE)
    await page.keyboard.down("5")  # as a keyboard repeats it
    await page.keyboard.down("1")  # roll-over
    await until_down(desk, [[0, 0], *FIVE])
    await page.keyboard.up("5")
    await until_down(desk, [[0, 0]])
    await page.keyboard.up("1")
    await until_down(desk, [])


async def test_a_finger_on_a_small_screen_presses_keys(desk, open_page, hand_on):
    page = await open_page(viewport={"width": 360, "height": 740}, has_touch=True)
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")
    await hand_on(page, lambda legend: key_of(page, legend).tap()).key("#1102")
    await expect(page.locator("#strip")).to_contain_text("102–103 talking")
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")


async def test_the_whole_story_with_the_keyboard_alone(desk, open_page, hand_on):
    page = await open_page()

    async def go_to(selector):
        for _ in range(60):
            await page.keyboard.press("Tab")
            if await page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"{selector} cannot be reached")

    await go_to(".key")  # one stop for all keys
    for step, legend in (("ArrowDown", "4"), ("ArrowRight", "5"), ("ArrowUp", "2"), ("ArrowLeft", "1")):
        await page.keyboard.press(step)
        await expect(key_of(page, legend)).to_be_focused()
    await page.keyboard.down("Space")
    await until_down(desk, [[0, 0]])
    await page.keyboard.up("Space")
    await until_down(desk, [])
    await hand_on(page, page.keyboard.press).key("*2102")
    await expect(card_of(page, "103")).to_contain_text("is on hold")
    await go_to("#act-101")
    await page.keyboard.press("Enter")
    await expect(card_of(page, "102")).to_contain_text("talks to 103")
    await expect(page.locator("#act-101")).to_be_focused()  # though it does something else now
    await expect(page.locator("#act-101")).to_have_text("Call 103")


async def test_keyboard_keys_press_nothing_while_that_is_switched_off_or_something_is_chosen(desk, open_page):
    page = await open_page()
    await card_of(page, "102").get_by_label("Next call").focus()
    await page.keyboard.press("5")
    await page.get_by_role("switch", name="Keyboard presses keys").click()
    await page.keyboard.press("5")
    await key_of(page, "8").click()
    await until(lambda: moves_of(desk) == [("8", True), ("8", False)])


async def test_a_click_without_a_pointer_as_screen_readers_do_it_presses_the_key_once(desk, open_page):
    page = await open_page()
    await key_of(page, "7").evaluate("(key) => key.click()")
    await until(lambda: moves_of(desk) == [("7", True), ("7", False)])


async def test_a_page_that_is_closed_lets_its_keys_go(desk, open_page):
    page, other = await open_page(), await open_page()
    await key_of(page, "5").hover()
    await page.mouse.down()
    await until_down(desk, FIVE)
    await page.context.close()
    await until_down(desk, [])
    await expect(key_of(other, "5")).to_have_attribute("data-down", "no")


async def test_a_key_that_two_hold_is_down_until_both_have_let_it_go(desk, open_page):
    page = await open_page()
    await desk.desk.press("5", "somebody")
    await key_of(page, "5").click()
    await page.keyboard.press("1")
    await until(lambda: ("1", False) in moves_of(desk))  # and so the page has let go of the 5 before it
    assert await desk.keys_down() == FIVE
    await desk.desk.let_go("5", "somebody")
    assert await desk.keys_down() == []


HEARD = """
window.heard = [];
const set = AudioParam.prototype.setValueAtTime;
AudioParam.prototype.setValueAtTime = function (value, at) { heard.push(value); return set.call(this, value, at); };
"""


LIT = """() => {
  const lit = [], lamp = document.getElementById("lamp");
  new MutationObserver(() => lit.push(lamp.getAttribute("aria-label"))).observe(lamp, { attributes: true });
  return lit;
}"""


async def test_lamp_display_and_tones_are_the_phones_own(desk, open_page, hand_on):
    page = await open_page(HEARD)
    lit = await page.evaluate_handle(LIT)
    await hand_on(page).key("*2102")
    await expect(page.locator("#lines")).to_contain_text("consulting")
    await page.wait_for_selector("#lamp[aria-label='Lamp on']")
    assert set(await lit.json_value()) == {"Lamp on", "Lamp off"}  # it has blinked while the number was keyed
    for row in (await desk.keypad.state())["display"]:
        await expect(page.locator("#display .lines")).to_contain_text(row.strip())
    await expect(page.locator("#phone")).to_have_attribute("data-hz", "0")
    sounded = {event["hz"] for event in desk.keypad.history if event["event"] == "tone" and event["hz"]}
    assert set(await page.evaluate("heard")) & sounded


async def test_a_muted_page_makes_no_sound(desk, open_page, hand_on):
    page = await open_page(HEARD)
    await page.get_by_role("switch", name="Sound").click()
    await hand_on(page).key("*2102")
    await expect(page.locator("#lines")).to_contain_text("consulting")
    assert await page.evaluate("heard") == []


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_serious(desk, open_page, hand_on, need_npm_packages, theme):
    axe = (need_npm_packages / "axe-core" / "axe.min.js").read_text()
    page = await open_page(color_scheme=theme, reduced_motion="reduce")
    found = []
    for begin in (None, "#act-103", "ring"):
        if begin == "ring":
            await page.locator("#next-101").select_option("ring")
            await page.locator("#act-102").click()
            await expect(card_of(page, EXTENSION)).to_contain_text("rings")
        elif begin:
            await page.locator(begin).click()
            await expect(card_of(page, EXTENSION)).to_contain_text("no call")
        else:
            await hand_on(page).key("*2102")
            await expect(card_of(page, "103")).to_contain_text("is on hold")
        await page.evaluate(axe)
        result = await page.evaluate("axe.run({ resultTypes: ['violations'] })")
        found += [
            f"{one['id']} ({one['impact']}) {one['nodes'][0]['target']} {one['nodes'][0]['failureSummary']}"
            for one in result["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        if begin is None:
            await page.locator("#act-101").click()
            await expect(card_of(page, "102")).to_contain_text("talks to 103")
    assert found == []


async def test_what_two_pages_type_at_once_is_keyed_one_after_the_other(desk):
    await asyncio.gather(desk.desk.type("#110"), desk.desk.type("C55C"))
    assert "".join(legend for legend, is_down in moves_of(desk) if is_down) == "#110C55C"


async def test_the_same_key_typed_again_at_once_is_another_press(desk):
    for legend in "#111":
        await desk.desk.type(legend)
    await until(lambda: any(row.strip().endswith("11") for row in desk.desk.phone.display))
