"""Shared by the page's tests: a desk with its page, open in a real browser, and a hand that clicks the drawn keys."""

import inspect
from pathlib import Path

import pytest
import pytest_asyncio
from console.conftest import need_npm_packages  # noqa: F401  a fixture
from desk_lab.desk import Desk
from desk_lab.installation import CALLER, EXTENSION, Installation, make_lab
from desk_lab.page.server import DeskPage
from e2e.hand import Hand
from pbx_lab.legs import are_alone
from playwright.async_api import expect

BOTH = ("simulator", "asterisk")
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    """Run the tests of this folder in the event loop of the browser."""
    for item in items:
        if item.path.parent == _HERE and inspect.iscoroutinefunction(item.function):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


class PagedDesk(Installation):
    """A whole installation with its desk and page; 103 talks to 101."""

    async def start(self, is_allowed=True):
        await super().start(is_allowed)
        await self.place_call()
        await self.lab.wait_until(lambda legs: are_alone(legs, CALLER, EXTENSION))
        await self.keypad.wait_for_signal("ready")
        self.desk = Desk(self)
        await self.desk.start()
        self._parts.push_async_callback(self.desk.stop)
        self.page = DeskPage(self.desk, self.lab.where)
        await self.page.start()
        self._parts.push_async_callback(self.page.stop)

    @property
    def origin(self):
        return self.page.address.partition("/open/")[0]

    async def keys_down(self):
        """Return the contacts that are closed at the phone itself."""
        return (await self.keypad.state())["contacts"]


@pytest_asyncio.fixture(loop_scope="session")
async def desk(request, tmp_path, need_part):
    """A desk with its page; of the simulator, unless the test names a PBX."""
    pbx = getattr(request, "param", BOTH[0])
    if pbx == "asterisk":
        need_part("asterisk")
        need_part("sipp")
    desk = PagedDesk(make_lab(pbx), tmp_path)
    await desk.start()
    yield desk
    print("The terminal's last lines:", *list(desk.phone.log_lines)[-40:], sep="\n")  # shown when the test failed
    await desk.stop()


@pytest.fixture
def open_page(desk, browser):
    """Return a coroutine that opens the page as its user does, and hears what goes wrong on it."""

    async def open_it(script="", **options):
        # Nothing moves by itself unless a test wants it: a picture that moves takes the computer from the phone.
        context = await browser.new_context(**{"reduced_motion": "reduce"} | options)
        page = await context.new_page()
        page.mistakes = []
        page.on("pageerror", lambda error: page.mistakes.append(str(error)))
        page.on("console", lambda said: said.type == "error" and page.mistakes.append(said.text))
        page.on("request", lambda asked: asked.url.startswith(desk.origin) or page.mistakes.append(asked.url))
        if script:
            await page.add_init_script(script)
        await page.goto(desk.page.address)
        await expect(page.locator("html")).to_have_attribute("data-live", "live")
        return page

    return open_it


class HandOnPage(Hand):
    """A hand that presses the keys drawn on the page: `how` presses one."""

    def __init__(self, installation, note, how):
        super().__init__(installation, note)
        self._how = how

    async def _press(self, text):
        for legend in text:
            await self._how(legend)


class HandOnButtons(Hand):
    """A hand that clicks the button which types all keys of a code."""

    def __init__(self, installation, note, page):
        super().__init__(installation, note)
        self._page = page

    async def _press(self, text):
        await self._page.get_by_role("button", name=text).click()


@pytest.fixture
def hand_on_buttons(desk, note):
    """Return a function that makes a hand which clicks a page's buttons for whole codes."""
    return lambda page: HandOnButtons(desk, note, page)


@pytest.fixture
def hand_on(desk, note):
    """Return a function that makes a hand with a mouse on a page, or with another way to press one key."""

    def make(page, how=None):
        return HandOnPage(desk, note, how or (lambda legend: key_of(page, legend).click()))

    return make


def key_of(page, legend):
    """Return the drawn key."""
    return page.locator(f'.key[data-legend="{legend}"]')


def card_of(page, endpoint):
    """Return the card of a phone."""
    return page.locator(f"#p-{endpoint}")
