"""The console's HTTP API: schemathesis tries it against its own document; tokens and roles; who did it."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from phoneterm_bridge.administration.requesting import Patience
from phoneterm_bridge.console.api_document import make_document


@pytest.mark.timeout(400)
async def test_every_answer_is_as_the_document_says(console, tmp_path):
    console.bridge.console.site.operations._patience = Patience(0.2, 0.2, 0.2)
    token = await asyncio.to_thread(console.accounts.add_token, "all", "admin")
    await console.bridge.refresh()
    asking = Path(__file__).with_name("asked_by_schema.py")
    run = ("-m", "pytest", "-q", "-c", os.devnull, "--noconftest", "-p", "no:xdist", "-p", "no:cacheprovider")
    environment = os.environ | {"CONSOLE_URL": console.address, "CONSOLE_TOKEN": token}
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, *run, str(asking)], cwd=tmp_path, capture_output=True, text=True,
        env=environment, check=False, timeout=360,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    operations = sum(len(methods) for methods in make_document()["paths"].values())
    assert f"{operations} passed" in done.stdout


async def test_the_document_describes_every_route_and_no_other(console):
    routes = console.bridge.console.site_app.routes
    there = {
        (route.path, method.lower())
        for route in routes
        if getattr(route, "path", "").startswith("/api/")
        for method in route.methods - {"HEAD"}
    }
    described = {(path, method) for path, methods in make_document()["paths"].items() for method in methods}
    assert there - described == {("/api/openapi.json", "get")}
    assert described <= there


async def test_a_token_has_a_role_and_is_named_in_the_journal(console):
    tokens = {role: console.accounts.add_token(f"for-{role}", role) for role in ("viewer", "operator")}
    await console.bridge.refresh()
    body, path = json.dumps({"is_multi_user_aware": False}), "/api/users/tech1/multi-user-aware"
    answers = {}
    for role, token in {**tokens, "none": "guessed"}.items():
        status, _, _ = await console.ask(path, "PUT", body, {"Authorization": f"Bearer {token}"})
        answers[role] = status
    assert answers == {"viewer": 403, "operator": 200, "none": 401}
    change = console.changes("tech1")[0]
    assert (change.who, change.what) == ("token:for-operator", "multi user aware False")
    assert change.where == "HTTP API, from 127.0.0.1"
    await asyncio.to_thread(console.accounts.remove_token, "for-viewer")
    await console.bridge.refresh()
    headers = {"Authorization": f"Bearer {tokens['viewer']}"}
    assert (await console.ask("/api/terminals", headers=headers))[0] == 401


async def test_rights_are_set_all_or_none(console):
    token = console.accounts.add_token("rights", "operator")
    await console.bridge.refresh()
    headers, path = {"Authorization": f"Bearer {token}"}, "/api/terminals/phone-101/rights"
    wrong = json.dumps({"blind": False, "attended": False, "classes": ["internal", "nonsense"]})
    status, _, text = await console.ask(path, "PUT", wrong, headers)
    assert (status, json.loads(text)["detail"].startswith("There is no class nonsense; ")) == (404, True)
    assert console.bridge.parts.directory.find("phone-101").flags == ("blind", "attended")
    right = json.dumps({"blind": False, "classes": ["internal", "national"]})
    status, _, text = await console.ask(path, "PUT", right, headers)
    assert (status, json.loads(text)["rights"]) == (200, "attended to internal, national")


async def test_a_browsers_cookie_does_nothing_there(console):
    who = await console.sign_in("anna")
    assert (await console.ask("/api/terminals", headers=who))[0] == 401


async def test_it_says_the_same_as_the_pages(console):
    token = console.accounts.add_token("look", "viewer")
    await console.bridge.refresh()
    terminal = await console.terminal()
    await terminal.hello()
    await console.confirm(terminal)
    await terminal.ask("blind", "199")
    headers = {"Authorization": f"Bearer {token}"}
    found = json.loads((await console.ask("/api/terminals/phone-101", headers=headers))[2])
    assert (found["state"], found["standing"], found["call"]) == ("online", "in force", "talking")
    why = json.loads((await console.ask("/api/why/101", headers=headers))[2])
    sentence = why["sentence"].removesuffix(why["not_known"] or "").strip()  # a slow computer leaves more unknown
    assert sentence.endswith("It did not work, because the PBX knows no such number.")


async def test_a_store_that_somebody_keeps_locked_is_one_sentence_on_pages_and_in_the_api(console):
    token = console.accounts.add_token("anything", "admin")
    await console.bridge.refresh()
    who = await console.sign_in("anna")
    other = sqlite3.connect(console.settings.store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        page = await console.post(who, "/users/tech1", what="op:blind", on="no", terminal="phone-101")
        headers = {"Authorization": f"Bearer {token}"}
        path, body = "/api/users/tech1/multi-user-aware", '{"is_multi_user_aware": false}'
        status, _, text = await console.ask(path, "PUT", body, headers)
    finally:
        other.close()
    for answer in (page, (status, text)):
        assert answer[0] == 503
        assert "is locked: another program has been writing to it" in json.loads(answer[1])["detail"]
