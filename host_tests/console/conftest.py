"""Shared by the console's tests: a running bridge with its console and three accounts, and a real browser."""

import asyncio
import http.client
import inspect
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from attack_lab.scenery.scene import Scene
from attack_lab.scenery.waiting import until
from lab_parts import npm_packages, parts
from phoneterm.core import messages
from phoneterm_bridge.settings.console import ConsoleSettings
from phoneterm_bridge.store.accounts import Accounts
from playwright.async_api import expect

_HERE = Path(__file__).parent
PASSWORD = "correct horse"
ROLES = {"anna": "admin", "otto": "operator", "vera": "viewer"}


class ConsoleScene(Scene):
    """A bridge with its console, on a link in memory; anna administers, otto operates, vera looks."""

    def __init__(self, folder, is_embedded=False, **console):
        super().__init__(folder, is_embedded)
        self.settings = self.settings.model_copy(
            update={"console": ConsoleSettings(enabled=True, port=0, **console), "http": self.settings.http}
        )
        self.accounts = Accounts(self.engine, "test")

    @staticmethod
    def fill_store(engine):
        enrolments = Scene.fill_store(engine)
        for name, role in ROLES.items():
            Accounts(engine, "test").add_account(name, role, PASSWORD)
        return enrolments

    @property
    def port(self):
        return self.bridge.console.port

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    async def ask(self, path, method="GET", body=None, headers=None):
        """Return (status, headers, text) of one request."""

        def request():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            try:
                connection.request(method, path, body, headers or {})
                answer = connection.getresponse()
                return answer.status, answer.headers, answer.read().decode()
            finally:
                connection.close()

        return await asyncio.to_thread(request)

    async def sign_in(self, name, password=PASSWORD):
        """Return the headers with which a browser of this account changes things."""
        form = urlencode({"name": name, "password": password})
        status, headers, _ = await self.ask("/sign-in", "POST", form)
        assert status == 303
        cookie = headers["Set-Cookie"].partition(";")[0]
        _, _, page = await self.ask("/account", headers={"Cookie": cookie, "Accept": "text/html"})
        token = re.search('<meta name="csrf" content="([^"]+)">', page)[1]
        return {"Cookie": cookie, "X-CSRF-Token": token, "Accept": "application/json"}

    async def make_cookie(self, name):
        """Return the cookie with which a browser goes on for an account that has signed in."""
        name, _, value = (await self.sign_in(name))["Cookie"].partition("=")
        return {"name": name, "value": value, "url": self.address}

    async def post(self, who, path, **fields):
        """Change something as a page does; return (status, text)."""
        status, _, text = await self.ask(path, "POST", urlencode(fields), who)
        return status, text

    def changes(self, subject):
        from phoneterm_bridge.store.journal_reading import read_changes

        return read_changes(self.engine, subject, 20)

    async def confirm(self, terminal):
        """Have a terminal say that all it was sent is in force there."""
        fields = {"permissions": terminal.heard(messages.PERMISSIONS)[-1]["rev"]}
        fields |= {"config": terminal.heard(messages.CONFIG)[-1]["rev"], "error": None}
        await terminal.send(messages.ACK, fields)


class NewConsoleScene(ConsoleScene):
    """The same before anybody has an account."""

    fill_store = staticmethod(Scene.fill_store)


def pytest_collection_modifyitems(items):
    """Run the tests of this folder in one event loop, in which the browser is started once."""
    for item in items:
        if item.path.parent == _HERE and inspect.iscoroutinefunction(item.function):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(loop_scope="session")
async def console(tmp_path):
    """A running bridge with its console."""
    scene = await ConsoleScene(tmp_path).start()
    yield scene
    await scene.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def console_without_tls(tmp_path):
    """The same, where boards may do without TLS."""
    scene = ConsoleScene(tmp_path)
    broker = scene.settings.broker.model_copy(update={"allow_plain": True})
    scene.settings = scene.settings.model_copy(update={"broker": broker})
    await scene.start()
    yield scene
    await scene.stop()


@pytest.fixture
def open_page(console, browser):
    """Return a coroutine that opens a page of the console for somebody who has signed in, and hears what goes wrong."""

    async def open_it(path, name="anna", **options):
        context = await browser.new_context(base_url=console.address, **options)
        await context.add_cookies([await console.make_cookie(name)])
        page = await context.new_page()
        page.mistakes = []
        page.on("pageerror", lambda error: page.mistakes.append(str(error)))
        page.on("console", lambda said: said.type == "error" and page.mistakes.append(said.text))
        page.on("request", lambda asked: asked.url.startswith(console.address) or page.mistakes.append(asked.url))
        await page.goto(path)
        await expect(page.locator("html")).to_have_attribute("data-live", "live")
        return page

    return open_it


@pytest.fixture(scope="session")
def need_npm_packages():
    """Return the folder node_modules, or skip the test and say how to get it."""
    try:
        return npm_packages.find()
    except parts.PartMissing as missing:
        pytest.skip(str(missing))


__all__ = ["ConsoleScene", "until"]
