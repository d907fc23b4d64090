"""What page, API and command line change is journalled alike: only who did it, and from where, differ."""

import asyncio
import json
import subprocess
import sys

import pytest
from console.conftest import ConsoleScene

_CHANGES = (
    (("terminal", "bulk", "deny-blind", "phone-101", "--yes"), {"what": "deny-blind"}, "phone-101"),
    (("terminal", "bulk", "not-aware", "phone-101", "--yes"), {"what": "not-aware"}, "tech1"),
    (
        ("terminal", "bulk", "allow-class", "--value", "national", "phone-101", "--yes"),
        {"what": "allow-class", "value": "national"},
        "phone-101",
    ),
    (("terminal", "group", "Berlin", "phone-101"), {"what": "group", "value": "Berlin"}, "phone-101"),
    (("terminal", "bulk", "revoke", "phone-101", "--yes"), {"what": "revoke"}, "phone-101"),
)


@pytest.mark.parametrize(("words", "body", "subject"), _CHANGES, ids=lambda one: str(one))
async def test_a_change_has_the_same_line_whoever_makes_it(tmp_path_factory, words, body, subject):
    told = {}
    for by in ("page", "api", "cli"):
        scene = await ConsoleScene(tmp_path_factory.mktemp(by)).start()
        if by == "page":
            what = f"{body['what']}:{body['value']}" if body["what"] == "allow-class" else body["what"]
            fields = {"what": what, "group": body.get("value", ""), "terminal": "phone-101"}
            assert (await scene.post(await scene.sign_in("anna"), "/terminals/change", **fields))[0] == 200
        elif by == "api":
            token = await asyncio.to_thread(scene.accounts.add_token, "program", "admin")
            await scene.bridge.refresh()
            headers, wanted = {"Authorization": f"Bearer {token}"}, json.dumps(body | {"terminals": ["phone-101"]})
            assert (await scene.ask("/api/bulk", "POST", wanted, headers))[0] == 200
        else:
            code = "import sys; from phoneterm_cli.main import make_app; make_app(sys.argv[1:2])()"
            command = [sys.executable, "-c", code, *words, "--set", f"store.path={scene.settings.store.path}"]
            await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, timeout=60)
        told[by] = scene.changes(subject)[0]
        await scene.stop()
    assert len({(change.subject, change.what) for change in told.values()}) == 1
    assert [told[by].who.partition(":")[0] for by in told] == ["console", "token", "cli"]
    assert told["page"].where == "console, from 127.0.0.1"
