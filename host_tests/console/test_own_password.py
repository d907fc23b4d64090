"""A person changes the own password, on the page and over the API: the other sessions end, and nobody guesses."""

import asyncio
import json
from urllib.parse import urlencode

from attack_lab.scenery.waiting import until
from console.conftest import PASSWORD
from console.test_streams import Page
from playwright.async_api import expect

NEW = " a new horse "  # with its spaces


async def test_the_page_goes_on_and_every_other_session_ends_with_its_stream(console, open_page):
    other = await console.sign_in("otto")
    stream = await Page(console, other, "terminals").open()
    page = await open_page("/account", "otto")
    await page.get_by_label("The old one").fill(PASSWORD)
    await page.get_by_label("The new one").fill(NEW)
    await page.get_by_label("The same again").fill(NEW)
    await page.get_by_role("button", name="Change it").click()
    await expect(page.locator("#said")).to_contain_text("everywhere else you are signed out")
    await until(lambda: stream.is_over)
    assert (await console.ask("/account", headers=other))[0] == 401
    change = console.changes("otto")[0]
    assert (change.who, change.what) == ("console:otto", "account of the console has a new password")
    await page.get_by_label("The old one").fill("wrong password")  # the same page, without loading it again
    await page.get_by_label("The new one").fill(PASSWORD)
    await page.get_by_label("The same again").fill(PASSWORD)
    await page.get_by_role("button", name="Change it").click()
    await expect(page.locator("#said")).to_contain_text("the old password is another one")
    await page.goto("/terminals")
    await expect(page.locator("html")).to_have_attribute("data-live", "live")
    await console.sign_in("otto", NEW)


async def test_wrong_old_passwords_are_counted_as_at_the_sign_in(console):
    who = await console.sign_in("otto")
    fields = {"old": "wrong password", "password": NEW, "again": NEW}
    answers = [(await console.post(who, "/account", **fields))[0] for _ in range(3)]
    assert answers == [403] * 3
    status, headers, text = await console.ask("/account", "POST", urlencode(fields | {"old": PASSWORD}), who)
    assert (status, int(headers["Retry-After"]) >= 1) == (429, True)
    assert json.loads(text)["detail"].startswith("Too many tries: wait ")
    assert (await console.ask("/sign-in", "POST", urlencode({"name": "otto", "password": PASSWORD})))[0] == 429
    assert console.changes("otto")[0].what == "account of the console added, operator"


async def test_what_is_no_password_or_is_typed_differently_is_refused(console):
    who = await console.sign_in("otto")
    for fields, sentence in (
        ({"password": NEW, "again": NEW.strip()}, "The two passwords differ."),
        ({"password": "short", "again": "short"}, "A password has 10 to 200 printable characters."),
    ):
        status, text = await console.post(who, "/account", old=PASSWORD, **fields)
        assert (status, json.loads(text)["detail"]) == (409, sentence)
    assert (await console.ask("/account", headers=who))[0] == 200


async def test_it_is_changed_over_the_api_by_whoever_knows_the_old_one(console):
    who = await console.sign_in("otto")
    token = await asyncio.to_thread(console.accounts.add_token, "self-service", "viewer")
    await console.bridge.refresh()
    headers, path = {"Authorization": f"Bearer {token}"}, "/api/accounts/otto/password"

    async def change(old):
        body = json.dumps({"old": old, "password": NEW})
        status, answered, text = await console.ask(path, "PUT", body, headers)
        return status, answered, json.loads(text)

    assert (await change("wrong password"))[0] == 403
    status, _, said = await change(PASSWORD)
    assert (status, said["said"]) == (200, "otto has a new password, and is signed out everywhere.")
    assert (await console.ask("/account", headers=who))[0] == 401
    assert (console.changes("otto")[0].who, console.changes("otto")[0].where) == (
        "token:self-service", "HTTP API, from 127.0.0.1"
    )  # fmt: skip
    await console.sign_in("otto", NEW)
    for _ in range(3):
        assert (await change("wrong password"))[0] == 403
    status, answered, _ = await change(NEW)
    assert (status, int(answered["Retry-After"]) >= 1) == (429, True)
