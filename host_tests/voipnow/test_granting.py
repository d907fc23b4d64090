"""The switch User is multi user aware is turned at VoipNow: asked once, read back, and what is so is said."""

import asyncio
import json
import os
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from attack_lab.scenery.waiting import until
from pbx.office import Office
from phoneterm.core import messages
from phoneterm_bridge.console.pages.importing import plan_import
from phoneterm_bridge.console.people import read_person
from phoneterm_bridge.permissions.describing import describe_source
from phoneterm_bridge.permissions.granting import set_aware_at_pbx
from phoneterm_bridge.settings.bridge import HttpSettings
from phoneterm_bridge.settings.console import ConsoleSettings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.store import reading
from phoneterm_bridge.store.accounts import Accounts
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal_reading import read_changes
from phoneterm_bridge.store.pbx_permissions import PbxPermissions, read_following
from phoneterm_cli.main import make_app
from starlette.requests import Request
from typer.testing import CliRunner
from voipnow.test_permissions import FOLLOWS, flag_is
from voipnow_lab.accounts import Extension
from voipnow_lab.faults import ALWAYS

pytestmark = pytest.mark.asyncio(loop_scope="session")

SLOWLY = ("voipnow.permissions=voipnow", "voipnow.permissions_poll_s=3600")


@pytest_asyncio.fixture(loop_scope="session")
async def office(lab, tmp_path):
    """A bridge that looks only once, so that whatever happens then is the switch's doing."""
    async with Office(lab, tmp_path, changes=SLOWLY) as office:
        await flag_is(office, True)
        lab.system.requests.clear()
        yield office


async def turn(office, is_aware, patience_s=5.0):
    source = office.bridge.parts.permissions.source
    return await set_aware_at_pbx(source, office.engine, "alice", is_aware, "cli:anna", "host pc7", patience_s)


def updates(lab):
    return [fields for name, fields in lab.system.requests if name == "UpdateUserPL"]


async def test_it_is_asked_once_for_the_flag_alone_and_read_back(office, lab):
    assert await turn(office, False) == "alice is not multi user aware any more, says VoipNow."
    assert updates(lab) == [{"multiUser": "false", "ID": "21"}]
    assert lab.system.requests[-1] == ("GetUserPL", {"ID": "21"})
    await flag_is(office, False)
    assert [(one.who, one.what) for one in read_changes(office.engine, "alice", 2)] == [
        ("cli:anna", "multi user aware False, as VoipNow has it (here it was True)"),
        ("cli:anna", "VoipNow is asked for multi user aware False"),
    ]
    assert lab.system.mistakes == []


async def test_a_lost_answer_is_not_repeated_and_what_came_of_it_is_read(office, lab):
    lab.faults.add("update", "cut-after")
    assert await turn(office, False) == "alice is not multi user aware any more, says VoipNow."
    lab.faults.add("update", "cut-before")
    with pytest.raises(SetupProblem, match=r"has not taken it .the connection ended.: alice is still not multi user"):
        await turn(office, True)
    assert lab.acted == ["UpdateUserPL", "UpdateUserPL"]
    assert len(updates(lab)) == 1


@pytest.mark.parametrize(("way", "why"), [("500", "it answers 500"), ("fault 151", "fault 151"), ("redirect", "302")])
async def test_what_voipnow_refuses_is_said_and_changes_nothing(office, lab, way, why):
    lab.faults.add("update", way)
    with pytest.raises(SetupProblem, match=why):
        await turn(office, False)
    assert lab.acted == ["UpdateUserPL"]
    assert read_following(office.engine, "alice").places[0].told.is_multi_user_aware
    assert read_changes(office.engine, "alice", 1)[0].what.startswith("VoipNow has not taken multi user aware False")


async def test_an_answer_that_says_failure_is_no_success(office, lab):
    lab.system.is_update_refused = True
    with pytest.raises(SetupProblem, match="the change was not made"):
        await turn(office, False)


async def test_a_success_without_an_effect_is_no_success(office, lab):
    lab.system.is_update_lost = True
    with pytest.raises(SetupProblem, match="VoipNow has not taken it: alice is still multi user aware there"):
        await turn(office, False, patience_s=0.1)
    assert len(updates(lab)) == 1


async def test_voipnow_may_need_a_moment(office, lab):
    lab.system.is_update_lost = True
    turning = asyncio.create_task(turn(office, False))
    await until(lambda: updates(lab) and lab.system.requests[-1][0] == "GetUserPL", 20)
    lab.system.accounts.owner_of("0003*101").multi_user = False
    assert "not multi user aware any more" in await turning


async def test_without_an_answer_nothing_is_asked_for(office, lab):
    lab.faults.add("system", "500", ALWAYS)
    with pytest.raises(
        SetupProblem,
        match=r"cannot be asked now .it answers 500.; nothing was changed. .phoneterm terminal deny. stops",
    ):
        await turn(office, False)
    assert lab.acted == []


async def fail_to_read_back(office, lab, fault, sentence):
    """Take the permission away; once VoipNow has been asked to, each reading meets the fault."""
    lab.faults.add("update", "slow")
    lab.faults.slow_s = 0.3
    turning = asyncio.create_task(turn(office, False))
    await until(lambda: lab.acted == ["UpdateUserPL"], 20)
    lab.faults.add("system", fault, ALWAYS)
    with pytest.raises(SetupProblem, match=sentence):
        await turning


async def test_if_it_cannot_be_read_back_it_is_not_known(office, lab):
    await fail_to_read_back(office, lab, "500", "whether it has is not known")
    assert read_changes(office.engine, "alice", 1)[0].what == "multi user aware False is not confirmed: it answers 500"


async def test_if_voipnow_tells_of_nothing_when_it_is_read_back_it_is_not_known(office, lab):
    await fail_to_read_back(office, lab, "fault 117", "whether it has is not known .fault 117")
    assert read_changes(office.engine, "alice", 1)[0].what.startswith("multi user aware False is not confirmed: fault")


async def with_two_users_there(office, lab, is_aware):
    """Let alice have an extension of Bob's too."""
    lab.system.accounts.owner_of("0003*102").multi_user = is_aware
    office.enrol("t102", "102")
    await until(lambda: len([one for one in read_following(office.engine).places if one.told is not None]) == 2, 20)


async def test_what_one_of_two_users_there_keeps_is_said_and_the_other_is_asked_too(office, lab):
    await with_two_users_there(office, lab, True)
    lab.faults.add("update", "fault 151")
    said = r"has taken it for 102, and not for 101 .fault 151: .*: alice is not multi user aware here"
    with pytest.raises(SetupProblem, match=said):
        await turn(office, False)
    assert updates(lab) == [{"multiUser": "false", "ID": "22"}]
    assert [one.what for one in read_changes(office.engine, "alice", 3)] == [
        "VoipNow has taken multi user aware False for 102, not for 101",
        "multi user aware False, as VoipNow has it (here it was True)",
        "VoipNow is asked for multi user aware False of its users 21 and 22",
    ]
    await flag_is(office, False)


async def test_who_cannot_be_given_all_of_it_is_given_no_more_of_it(office, lab):
    await with_two_users_there(office, lab, False)
    lab.faults.add("update", "fault 151")
    with pytest.raises(SetupProblem, match=r"for 101, and not for 102 .*: alice is not multi user aware here"):
        await turn(office, True)
    assert (len(lab.acted), updates(lab)) == (1, [])


async def test_an_extension_that_is_not_told_is_named_and_what_was_said_of_it_last_counts(office, lab):
    await with_two_users_there(office, lab, False)
    lab.system.accounts.extensions.remove(lab.system.accounts.find_extension("0003*102"))
    said = r"has taken it for 101. It does not tell of 102 .fault 117: .*So alice is not multi user aware here"
    with pytest.raises(SetupProblem, match=said):
        await turn(office, True)
    assert await turn(office, False) == (
        "alice is not multi user aware any more, says VoipNow. It does not tell of 102 (fault 117: There is no such "
        "extension, or it may not be seen.)."
    )


async def test_who_else_here_belongs_to_the_same_user_there_knows_it_at_once(office, lab):
    lab.system.accounts.extensions.append(Extension("0003*104", lab.system.accounts.users[0]))
    directory = Directory(office.engine, "test")
    directory.add_user("carl")
    directory.add_extension("104", "carl")
    directory.add_terminal("t104", "104")
    await until(lambda: reading.read_snapshot(office.engine).terminals["t104"].may_transfer, 20)
    await turn(office, False)
    assert not reading.read_snapshot(office.engine).terminals["t104"].may_transfer
    changed = read_changes(office.engine, "carl", 1)[0]
    assert (changed.who, changed.what) == ("cli:anna", "multi user aware False, as VoipNow has it (here it was True)")


async def test_a_user_without_an_extension_at_voipnow_cannot_be_turned(office, lab):
    directory = Directory(office.engine, "test")
    directory.add_user("bert")
    source = office.bridge.parts.permissions.source
    with pytest.raises(SetupProblem, match="bert has no extension"):
        await set_aware_at_pbx(source, office.engine, "bert", True, "cli:anna", "")
    with pytest.raises(SetupProblem, match="There is no user 'nobody'"):
        await set_aware_at_pbx(source, office.engine, "nobody", True, "cli:anna", "")
    directory.add_extension("199", "bert")
    with pytest.raises(SetupProblem, match=r"does not have the extensions of bert .fault 117"):
        await set_aware_at_pbx(source, office.engine, "bert", True, "cli:anna", "")
    assert lab.acted == []


def write_settings(office, path, *more):
    """Write the settings file of an office's bridge."""
    sections = {"store": [f'path = "{office.settings.store.path}"']}
    for one in (*office.lab.bridge_settings, *FOLLOWS, *more):
        name, _, value = one.partition("=")
        section, _, key = name.partition(".")
        line = f"{key} = {value if value.isdecimal() and key.endswith(('_ms', '_s')) else json.dumps(value)}"
        kept = [text for text in sections.get(section, ()) if not text.startswith(f"{key} =")]
        sections[section] = [*kept, line]
    path.write_text("\n".join(f"[{section}]\n" + "\n".join(lines) for section, lines in sections.items()))
    path.chmod(0o600)
    return path


async def test_the_command_line_asks_voipnow(office, lab, tmp_path):
    settings = write_settings(office, tmp_path / "bridge.toml")

    async def phoneterm(*words):
        return await asyncio.to_thread(
            CliRunner().invoke, make_app(("user",)), [*words, "--config", str(settings)], env=dict(os.environ)
        )

    done = await phoneterm("user", "deny", "alice")
    assert (done.exit_code, done.output) == (
        0, "alice is not multi user aware any more: no terminal of alice may transfer.\n"
    ), done.output  # fmt: skip
    assert lab.system.accounts.owner_of("0003*101").multi_user is False
    await flag_is(office, False)
    lab.faults.add("update", "fault 151")
    refused = await phoneterm("user", "allow", "alice")
    assert refused.exit_code == 1
    assert "VoipNow has not taken it (fault 151" in refused.output
    listed = await phoneterm("user", "list")
    assert "VoipNow says who is multi user aware." in listed.output
    assert "whether these are" not in listed.output
    PbxPermissions(office.engine, "VoipNow", "test").expire(["101"], "it answers 500")
    assert "not for too long, whether these are: 101; they may not transfer" in (await phoneterm("user", "list")).output


async def test_a_file_that_sets_the_flag_says_that_the_pbx_has_the_last_word(office, lab, tmp_path):
    settings = write_settings(office, tmp_path / "bridge.toml")
    path = tmp_path / "staff.csv"

    async def run(text):
        path.write_text(f"user,multi_user_aware\n{text}\n")
        command = ["user", "import", str(path), "--dry-run", "--config", str(settings)]
        return await asyncio.to_thread(CliRunner().invoke, make_app(("user",)), command, env=dict(os.environ))

    for line in ("alice,no", "dora,yes"):
        done = await run(line)
        assert done.exit_code == 0
        assert "counts until the PBX says otherwise" in done.output
    assert "says otherwise" not in (await run("dora,")).output


@asynccontextmanager
async def with_console(lab, folder):
    office = Office(lab, folder, changes=SLOWLY)
    office.settings = office.settings.model_copy(
        update={"console": ConsoleSettings(enabled=True, port=0), "http": HttpSettings(enabled=True, port=0)}
    )
    office.token = Accounts(office.engine, "test").add_token("desk", "operator")
    async with office:
        await flag_is(office, True)
        yield office


async def ask_console(office, method, path, body=None):
    """Return (status, text) of a request to the console."""
    import httpx

    headers = {"Authorization": f"Bearer {office.token}"}
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.request(
            method, f"http://127.0.0.1:{office.bridge.console.port}{path}", json=body, headers=headers
        )
    return answer.status_code, answer.text


async def test_the_console_asks_voipnow_and_says_who_decides(lab, tmp_path):
    async with with_console(lab, tmp_path) as office:
        path = "/api/users/alice/multi-user-aware"
        status, text = await ask_console(office, "PUT", path, {"is_multi_user_aware": False})
        assert (status, json.loads(text)) == (200, {"said": "alice is not multi user aware any more, says VoipNow."})
        assert lab.system.accounts.owner_of("0003*101").multi_user is False
        assert office.terminal.heard(messages.PERMISSIONS)[-1]["multi_user_aware"] is False
        assert read_changes(office.engine, "alice", 1)[0].who == "token:desk"
        lab.faults.add("update", "fault 151")
        status, text = await ask_console(office, "PUT", path, {"is_multi_user_aware": True})
        assert status == 409
        assert "VoipNow has not taken it" in text
        assert describe_source(read_following(office.engine)) == "VoipNow says who is multi user aware."


async def test_the_page_of_a_user_says_what_voipnow_has_said(lab, tmp_path):
    async with with_console(lab, tmp_path) as office:
        site = office.bridge.console.site

        async def page():
            person = await read_person(site.sources, site.rows, "alice")
            return site.templates.get_template("person.html").render(person=person)

        assert "VoipNow says who is multi user aware." in await page()
        PbxPermissions(office.engine, "VoipNow", "test").expire(["101"], "it answers 500")
        assert "That is too long ago, so it may not transfer." in await page()
        PbxPermissions(office.engine, "VoipNow", "test").note_away("it answers 500", "VoipNow is away")
        assert "(it answers 500): what it said last counts until it expires" in await page()


async def test_the_dry_run_in_the_console_says_that_the_pbx_has_the_last_word(lab, tmp_path):
    async with with_console(lab, tmp_path) as office:
        site = office.bridge.console.site

        async def dry_run(text):
            async def receive():
                return {"type": "http.request", "body": text.encode(), "more_body": False}

            request = Request({"type": "http", "method": "POST", "headers": []}, receive)
            return json.loads((await plan_import(site, request, None)).body)["put"]["import-plan"]

        assert "counts until the PBX says otherwise" in await dry_run("user,multi_user_aware\nalice,no\n")
        assert "says otherwise" not in await dry_run("user,multi_user_aware\ndora,\n")
        assert "says otherwise" not in await dry_run("user,multi_user_aware\nalice,yes\n")
