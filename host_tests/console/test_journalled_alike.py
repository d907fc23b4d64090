"""What page, API and command line change is journalled alike: only who did it, and from where, differ."""

import asyncio
import json

from console.conftest import ConsoleScene
from phoneterm_cli.main import make_app
from typer.testing import CliRunner

# The change, its value, and of whom the journal has it.
_CHANGES = (
    ("deny-blind", "", "phone-101"),
    ("not-aware", "", "tech1"),
    ("allow-class", "national", "phone-101"),
    ("group", "Berlin, 2nd floor", "phone-101"),
    ("revoke", "", "phone-101"),
)


async def change_on_the_page(scene):
    who = await scene.sign_in("anna")
    for what, value, _ in _CHANGES:
        of_class = f"{what}:{value}" if what == "allow-class" else what
        fields = {"what": of_class, "group": value, "terminal": "phone-101"}
        assert (await scene.post(who, "/terminals/change", **fields))[0] == 200


async def change_by_a_program(scene):
    token = await asyncio.to_thread(scene.accounts.add_token, "program", "admin")
    await scene.bridge.refresh()
    headers = {"Authorization": f"Bearer {token}"}
    for what, value, _ in _CHANGES:
        body = {"what": what, "terminals": ["phone-101"]} | ({"value": value} if value else {})
        assert (await scene.ask("/api/bulk", "POST", json.dumps(body), headers))[0] == 200


async def change_on_the_command_line(scene):
    for what, value, _ in _CHANGES:
        words = ("terminal", "bulk", what, "phone-101", "--yes", *(("--value", value) if value else ()))
        store = ("--set", f"store.path={scene.settings.store.path}")
        done = await asyncio.to_thread(CliRunner().invoke, make_app(("terminal",)), [*words, *store])
        assert done.exit_code == 0, done.output


async def test_a_change_has_the_same_line_whoever_makes_it(tmp_path_factory):
    told = []
    for change in (change_on_the_page, change_by_a_program, change_on_the_command_line):
        scene = await ConsoleScene(tmp_path_factory.mktemp("scene")).start()
        await change(scene)
        made = [one for one in scene.changes("phone-101") + scene.changes("tech1") if one.who != "test"]
        told.append(made)
        await scene.stop()
    lines = [[(one.subject, one.what) for one in made] for made in told]
    assert lines[0] == lines[1] == lines[2]
    assert sorted(subject for subject, _ in lines[0]) == sorted(subject for *_, subject in _CHANGES)
    assert [{one.who.partition(":")[0] for one in made} for made in told] == [{"console"}, {"token"}, {"cli"}]
    assert {one.where for one in told[0]} == {"console, from 127.0.0.1"}
