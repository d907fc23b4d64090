"""Who comes in: the set-up link, passwords, cookies, roles, forms of other pages, a reverse proxy, other names."""

import asyncio
import subprocess
import sys
from urllib.parse import urlencode

import pytest
from attack_lab.scenery.waiting import until
from console.conftest import PASSWORD, ConsoleScene, NewConsoleScene
from phoneterm_bridge.console import cookies
from phoneterm_bridge.console.login_desk import LoginDesk, TooMany
from phoneterm_bridge.settings.bridge import load_settings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store.accounts import Account
from phoneterm_bridge.store.passwords import hash_chosen_password

HTML = {"Accept": "text/html"}


async def test_the_set_up_link_makes_the_first_account_once(tmp_path):
    scene = await NewConsoleScene(tmp_path).start()
    link = scene.bridge.console.setup_link
    assert link.startswith(f"{scene.address}/setup/")
    path = link.removeprefix(scene.address)
    form = urlencode({"name": "anna", "password": PASSWORD, "again": PASSWORD})
    wrong = urlencode({"name": "anna", "password": PASSWORD, "again": "another one"})
    assert "The two passwords differ." in (await scene.ask(path, "POST", wrong))[2]
    assert (await scene.ask("/setup/guessed", "POST", form))[0] == 404
    status, headers, _ = await scene.ask(path, "POST", form)
    assert (status, headers["Location"]) == (303, "/terminals")
    assert (await scene.ask(path, "POST", form.replace("anna", "eve")))[0] == 404
    assert (await scene.ask(path))[0] == 404
    assert scene.bridge.console.setup_link is None
    change = scene.changes("anna")[0]
    assert (change.who, change.what) == ("console:anna", "account of the console added, admin")
    assert change.where == "set-up link, from 127.0.0.1"
    await scene.sign_in("anna")
    await scene.stop()


async def test_behind_a_reverse_proxy_the_set_up_link_leads_through_it(tmp_path):
    scene = await NewConsoleScene(tmp_path, https=True, names=("phones.example",)).start()
    link = scene.bridge.console.setup_link
    assert link.startswith("https://phones.example/setup/")
    assert (await scene.ask(link.removeprefix("https://phones.example")))[0] == 200
    await scene.stop()


async def test_a_console_with_an_account_has_no_set_up_link(console):
    assert console.bridge.console.setup_link is None


async def test_nobody_sees_a_page_without_signing_in(console):
    paths = ("/terminals", "/users/tech1", "/why", "/why.csv", "/changes", "/health", "/accounts")
    for path in (*paths, "/events?topics=status"):
        status, headers, _ = await console.ask(path, headers=HTML)
        assert (status, headers["Location"].startswith("/sign-in?next=")) == (303, True)
        assert (await console.ask(path))[0] == 401
    assert (await console.ask("/users/tech1", "POST", "what=aware&on=no"))[0] == 401


async def test_a_wrong_password_and_an_account_that_does_not_exist_look_the_same(console):
    answers = [
        (await console.ask("/sign-in", "POST", urlencode({"name": name, "password": "wrong password"})))[::2]
        for name in ("anna", "nobody")
    ]
    assert [status for status, _ in answers] == [403, 403]
    assert answers[0][1].replace("anna", "nobody") == answers[1][1]


async def test_after_three_wrong_passwords_the_next_try_must_wait_and_a_right_one_too(console):
    wrong = urlencode({"name": "anna", "password": "wrong password"})
    assert [(await console.ask("/sign-in", "POST", wrong))[0] for _ in range(3)] == [403] * 3
    right = urlencode({"name": "anna", "password": PASSWORD})
    status, headers, text = await console.ask("/sign-in", "POST", right)
    assert (status, int(headers["Retry-After"]) >= 1, "Too many tries" in text) == (429, True, True)


async def test_the_wait_doubles_and_ends_with_the_right_password():
    now_s = [0.0]
    desk = LoginDesk(lambda: now_s[0])
    account = Account("anna", "admin", hash_chosen_password(PASSWORD), 0)
    pauses_s = []
    for number in range(5):
        assert not await desk.admits(account, "anna", "wrong", "192.0.2.7")
        if number >= 2:
            for name, address in (("anna", "192.0.2.8"), ("otto", "192.0.2.7")):
                with pytest.raises(TooMany) as told:
                    await desk.admits(account, name, PASSWORD, address)
            pauses_s.append(told.value.seconds)
            now_s[0] += told.value.seconds
    assert pauses_s == [2.0, 4.0, 8.0]
    assert await desk.admits(account, "anna", PASSWORD, "192.0.2.7")
    assert not await desk.admits(account, "anna", "wrong", "192.0.2.7")
    assert await desk.admits(account, "anna", PASSWORD, "192.0.2.7")


async def test_a_flood_of_tries_is_refused_at_once():
    desk = LoginDesk()
    tries = [desk.admits(None, f"n{number}", "x", f"192.0.2.{number}") for number in range(50)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(outcome is False for outcome in outcomes) == 4
    assert sum(isinstance(outcome, TooMany) for outcome in outcomes) == 46


async def test_a_transfer_does_not_wait_for_passwords_that_are_looked_at(console):
    terminal = await console.terminal()
    await terminal.hello()
    right = urlencode({"name": "anna", "password": PASSWORD})
    tries = [asyncio.create_task(console.ask("/sign-in", "POST", right)) for _ in range(4)]
    await until(lambda: console.bridge.console.site.desk._at_once == 4)
    assert await terminal.ask("blind", "102") == ("accepted", None)
    assert not all(one.done() for one in tries)
    assert [status for status, _, _ in await asyncio.gather(*tries)] == [303] * 4


async def test_a_cookie_of_ones_own_making_is_worth_nothing(console):
    who = await console.sign_in("vera")
    value = who["Cookie"].partition("=")[2]
    other = cookies.CookieSigner()
    made = [value[:-1] + ("0" if value[-1] != "0" else "1"), "x", "a.b", other.write(other.begin("anna", "x")), ""]
    for cookie in made:
        assert (await console.ask("/account", headers={"Cookie": f"{cookies.NAME}={cookie}"}))[0] == 401
    assert (await console.ask("/account", headers={"Cookie": who["Cookie"]}))[0] == 200


async def test_the_cookie_is_hidden_from_scripts_and_from_other_pages(console):
    form = urlencode({"name": "anna", "password": PASSWORD, "next": "//evil.example"})
    _, headers, _ = await console.ask("/sign-in", "POST", form)
    assert headers["Location"] == "/terminals"
    attributes = {part.strip().lower() for part in headers["Set-Cookie"].split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= attributes


async def test_whoever_signs_out_gets_another_password_or_is_removed_is_out_at_once(console):
    for_ever = [await console.sign_in(name) for name in ("anna", "otto", "vera")]
    assert (await console.post(for_ever[0], "/sign-out"))[0] == 200
    await asyncio.to_thread(console.accounts.set_password, "otto", "another horse")
    await asyncio.to_thread(console.accounts.remove_account, "vera")
    await console.bridge.refresh()
    assert [(await console.ask("/account", headers=who))[0] for who in for_ever] == [401] * 3


async def test_a_cookie_that_was_signed_out_stays_worthless_after_the_bridge_has_started_anew(console):
    who = await console.sign_in("anna")
    assert (await console.post(who, "/sign-out"))[0] == 200
    await console.bridge.stop()
    await console.start()
    assert (await console.ask("/account", headers=who))[0] == 401


async def test_a_password_that_is_changed_while_the_old_one_is_looked_at_is_not_outrun(console):
    desk = console.bridge.console.site.desk
    async with desk._looking:  # the sign-in waits for another one
        coming = asyncio.create_task(console.ask("/sign-in", "POST", urlencode({"name": "anna", "password": PASSWORD})))
        await until(lambda: desk._at_once == 1)
        await asyncio.to_thread(console.accounts.set_password, "anna", "another horse")
        await console.bridge.refresh()
        await console.bridge.console.site.visitors.refresh()
    _, headers, _ = await coming
    cookie = headers["Set-Cookie"].partition(";")[0]
    assert (await console.ask("/account", headers={"Cookie": cookie}))[0] == 401


async def test_who_must_wait_finds_name_and_page_again(console):
    form = {"name": "anna", "next": "/changes?of=tech1"}
    for _ in range(3):
        await console.ask("/sign-in", "POST", urlencode({**form, "password": "wrong password"}))
    _, _, page = await console.ask("/sign-in", "POST", urlencode({**form, "password": PASSWORD}))
    assert 'value="/changes?of=tech1"' in page
    assert 'value="anna"' in page


async def test_a_change_needs_the_token_of_the_consoles_own_pages(console):
    who = await console.sign_in("anna")
    without = {name: value for name, value in who.items() if name != "X-CSRF-Token"}
    of_another = {**who, "X-CSRF-Token": (await console.sign_in("otto"))["X-CSRF-Token"]}
    elsewhere = {**who, "Origin": "http://evil.example"}
    for headers in (without, of_another, elsewhere):
        assert (await console.post(headers, "/users/tech1", what="aware", on="no"))[0] == 403
    assert console.bridge.parts.directory.find("phone-101").is_multi_user_aware
    assert (await console.ask("/sign-in", "POST", "name=anna", {"Origin": "http://evil.example"}))[0] == 403
    assert (await console.post({**who, "Origin": console.address}, "/users/tech1", what="aware", on="no"))[0] == 200


async def test_a_viewer_looks_an_operator_changes_rights_and_only_an_admin_enrols(console):
    who = {name: await console.sign_in(name) for name in ("vera", "otto", "anna")}
    tries = [
        ("/users/tech1", {"what": "aware", "on": "no"}, {"vera": 403, "otto": 200, "anna": 200}),
        ("/terminals/phone-101/identify", {}, {"vera": 403, "otto": 409, "anna": 409}),  # it is not online
        ("/terminals/phone-101/revoke", {}, {"vera": 403, "otto": 403}),
        ("/terminals/enrol", {"extension": "101"}, {"vera": 403, "otto": 403}),
        ("/accounts", {"what": "remove", "name": "vera"}, {"vera": 403, "otto": 403}),
        ("/import", {}, {"vera": 403, "otto": 403}),
    ]
    for path, fields, expected in tries:
        for name, status in expected.items():
            assert (await console.post(who[name], path, **fields))[0] == status, (path, name)
    for path in ("/accounts", "/import", "/terminals/enrol"):
        assert (await console.ask(path, headers=who["otto"]))[0] == 403


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "127.0.0.1.evil.example"])
async def test_a_page_elsewhere_that_has_its_name_lead_here_reads_nothing(console, host):
    assert (await console.ask("/sign-in", headers={"Host": host}))[0] == 421


async def test_a_further_name_is_one_of_the_settings(console, tmp_path):
    assert (await console.ask("/sign-in", headers={"Host": "phones.example"}))[0] == 421
    (tmp_path / "named").mkdir()
    scene = ConsoleScene(tmp_path / "named")
    settings = scene.settings.console.model_copy(update={"names": ("Phones.example",)})
    scene.settings = scene.settings.model_copy(update={"console": settings})
    await scene.start()
    assert (await scene.ask("/sign-in", headers={"Host": "phones.example:80"}))[0] == 200
    await scene.stop()


async def test_a_reverse_proxy_signs_people_in_from_its_own_address_alone(tmp_path):
    scene = await ConsoleScene(tmp_path, proxy_address="127.0.0.1", proxy_header="X-Remote-User").start()
    status, headers, page = await scene.ask("/account", headers={"X-Remote-User": "vera", **HTML})
    assert (status, "vera" in page, cookies.NAME in headers["Set-Cookie"]) == (200, True, True)
    assert (await scene.ask("/account", headers={"X-Remote-User": "mallory"}))[0] == 401
    await scene.stop()
    (tmp_path / "other").mkdir()
    scene = await ConsoleScene(tmp_path / "other", proxy_address="192.0.2.1", proxy_header="X-Remote-User").start()
    assert (await scene.ask("/account", headers={"X-Remote-User": "vera"}))[0] == 401
    await scene.stop()


async def test_every_answer_forbids_code_in_pages_and_anything_from_elsewhere(console):
    for path in ("/sign-in", "/nowhere", "/static/live.js"):
        _, headers, _ = await console.ask(path)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "pbx.example"])
def test_the_console_is_on_this_machine_unless_the_settings_say_so(host):
    with pytest.raises(SetupProblem, match=r"console\.allow_remote = true"):
        load_settings(None, ("console.enabled=true", f"console.host={host}"))
    assert load_settings(None, (f"console.host={host}", "console.allow_remote=true")).console.host == host


@pytest.mark.parametrize("given", [("console.proxy_header=X-User",), ("console.proxy_address=127.0.0.1",),
                                   ("console.proxy_header=X-User", "console.proxy_address=proxy.example"),
                                   ("console.proxy_header=X:User", "console.proxy_address=127.0.0.1")])  # fmt: skip
def test_half_a_reverse_proxy_is_a_mistake(given):
    with pytest.raises(SetupProblem, match=r"console\.proxy_"):
        load_settings(None, given)


def test_a_bridge_without_the_console_loads_nothing_of_it():
    program = (
        "import sys, phoneterm_bridge.service, phoneterm_bridge.cli.bridge; "
        "print([name for name in sys.modules if name.startswith(('jinja2', 'segno', 'phoneterm_bridge.console'))])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
