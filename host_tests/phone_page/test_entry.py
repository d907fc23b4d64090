"""Only its user gets onto the page and presses keys; a stream that is cut off comes back and misses nothing."""

import asyncio
import http.client
import re
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from attack_lab.scenery.waiting import until
from console.test_streams import Page


@pytest.fixture
def ask(desk):
    """Return a coroutine that asks the page for something: (status, headers, text)."""

    async def ask_it(path, method="GET", body=None, **headers):
        def request():
            connection = http.client.HTTPConnection("127.0.0.1", desk.page.port, timeout=20)
            try:
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                connection.request(method, path, body, {"Accept": "text/html"} | named)
                answer = connection.getresponse()
                return answer.status, answer.headers, answer.read().decode()
            finally:
                connection.close()

        return await asyncio.to_thread(request)

    return ask_it


@pytest_asyncio.fixture(loop_scope="session")
async def user(desk, ask):
    """The headers of its user's browser, with the page's own secret; and what a stream needs."""
    status, headers, _ = await ask(desk.page.address.removeprefix(desk.origin))
    assert (status, headers["Location"]) == (303, "/")
    assert {"HttpOnly", "SameSite=lax"} <= set(headers["Set-Cookie"].split("; "))
    cookie = headers["Set-Cookie"].partition(";")[0]
    _, _, page = await ask("/", Cookie=cookie)
    read = lambda name: re.search(f'<meta name="{name}" content="([^"]+)">', page)[1]  # noqa: E731
    return {"Cookie": cookie, "X_CSRF_Token": read("csrf"), "topics": read("topics"), "since": read("since")}


def stream(desk, user, **options):
    """Return the stream of the user's page, not yet open."""
    return Page(desk.page, user, user["topics"].replace(" ", "+"), **options)


KEY = {"legend": "5", "down": "yes"}


async def test_whoever_lacks_the_secret_sees_nothing_and_presses_nothing(desk, ask, user):
    page = await stream(desk, user, since=user["since"]).open()
    name = user["topics"].split()[1]
    body = urlencode(KEY | {"page": name})
    own = {"Cookie": user["Cookie"], "X_CSRF_Token": user["X_CSRF_Token"]}
    wrong = [
        await ask("/open/guessed"),
        await ask("/"),
        await ask("/", Cookie=user["Cookie"][:-1] + ("y" if user["Cookie"].endswith("x") else "x")),
        await ask("/events?topics=desk"),
        await ask("/key", "POST", body),
        await ask("/key", "POST", body, X_CSRF_Token=user["X_CSRF_Token"]),
        await ask("/key", "POST", body, Cookie=user["Cookie"]),
        await ask("/key", "POST", body, **own, Origin="http://example.org"),
        await ask("/phones/103/call", "POST", "", Cookie=user["Cookie"]),
        await ask("/permission", "POST", "on=no", Cookie=user["Cookie"]),
    ]
    assert {status for status, _, _ in wrong} == {403}
    assert user["X_CSRF_Token"] not in "".join(text for _, _, text in wrong)
    assert (await ask("/", **own, Host="desk.example.org"))[0] == 421
    assert await desk.keys_down() == []
    assert (await ask("/key", "POST", body, **own, Origin=desk.origin))[0] == 200
    assert await desk.keys_down() == [[1, 1]]
    await page.cut()


async def test_the_page_loads_nothing_from_elsewhere_and_runs_no_code_of_its_own(ask, user):
    _, headers, text = await ask("/", Cookie=user["Cookie"])
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in headers["Content-Security-Policy"]
    assert "<script>" not in text
    assert " style=" not in text


async def test_a_stream_that_is_cut_off_comes_back_and_misses_nothing(desk, user):
    page = await stream(desk, user, since=user["since"]).open()
    await desk.desk.press("5", "somebody")
    await until(lambda: page.events)
    await page.cut()
    await desk.desk.let_go("5", "somebody")
    await desk.desk.press("6", "somebody")
    await until(lambda: desk.phone.matrix.closed == {(1, 2)})
    back = await stream(desk, user, last_id=page.last_id).open()
    await desk.desk.let_go("6", "somebody")
    moves = lambda page: [(one["legend"], one["down"]) for one in page.events if one["do"] == "key"]  # noqa: E731
    await until(lambda: len(moves(back)) == 3)
    assert moves(page) + moves(back) == [("5", True), ("5", False), ("6", True), ("6", False)]
    await back.cut()


async def test_a_page_of_an_earlier_run_is_loaded_anew(desk, user):
    page = await stream(desk, user, since="earlier-7").open()
    await until(lambda: page.events)
    assert page.events == [{"do": "reload"}]
    await page.cut()


async def test_a_page_without_a_stream_cannot_hold_a_key(desk, ask, user):
    body = urlencode(KEY | {"page": user["topics"].split()[1]})
    own = {"Cookie": user["Cookie"], "X_CSRF_Token": user["X_CSRF_Token"], "Accept": "application/json"}
    status, _, text = await ask("/key", "POST", body, **own)
    assert (status, "This page has no connection" in text) == (409, True)
    assert await desk.keys_down() == []


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/key", "legend=E&down=yes", "There is no key 'E'"),
        ("/type", "keys=1x", "There is no key 'x'; the keys are 123A456B789C*0#D."),
        ("/type", "keys=", "This takes 1 to 64 keys."),
        ("/phones/104/call", "number=101", "There is no phone '104'; there are 101, 102, 103."),
        ("/phones/103/call", "number=10%0d%0a1", r"'10\\r\\n1' is no number."),
        ("/phones/103/call", "number=103", "103 cannot call itself."),
        ("/phones/102/answer", "", "Nothing rings at 102."),
        ("/phones/102/hang-up", "", "102 has no call to hang up."),
        ("/phones/102/behaviour", "behaviour=sing", "No phone can 'sing'."),
        ("/phones/102/dance", "", "A phone cannot 'dance'."),
    ],
)
async def test_what_cannot_be_done_is_one_sentence(desk, ask, user, path, body, words):
    page = await stream(desk, user, since=user["since"]).open()
    own = {"Cookie": user["Cookie"], "X_CSRF_Token": user["X_CSRF_Token"], "Accept": "application/json"}
    status, _, text = await ask(path, "POST", f"{body}&page={user['topics'].split()[1]}", **own)
    assert status in (404, 409)
    assert words in text
    await page.cut()
