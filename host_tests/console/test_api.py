"""The console's HTTP API: schemathesis tries it against its own document; tokens and roles; who did it."""

import asyncio
import json
import threading

import hypothesis
import pytest
import schemathesis
from console.conftest import ConsoleScene
from phoneterm_bridge.administration.requesting import Patience
from phoneterm_bridge.console.api_document import make_document
from schemathesis import GenerationMode


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A console in a thread with its own event loop, and a token that may do everything."""
    scene = ConsoleScene(tmp_path_factory.mktemp("api"))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def wait_for(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    wait_for(scene.start())
    scene.bridge.console.site.operations._patience = Patience(0.2, 0.2, 0.2)
    scene.token = scene.accounts.add_token("all", "admin")
    wait_for(scene.bridge.refresh())
    yield scene
    wait_for(scene.stop())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


_schema = schemathesis.openapi.from_dict(make_document())
_schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])


@_schema.parametrize()
@hypothesis.settings(max_examples=8, deadline=None, derandomize=True)
def test_every_answer_is_as_the_document_says(case, served):
    headers = {"Authorization": f"Bearer {served.token}"}
    checks = [schemathesis.checks.CHECKS.get_one(name) for name in _CHECKS]
    case.call_and_validate(base_url=served.address, headers=headers, checks=checks)


_CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")


def test_the_document_describes_every_route_and_no_other(served):
    routes = served.bridge.console.site_app.routes
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
    assert why["sentence"].endswith("It did not work, because the PBX knows no such number.")
