"""`phoneterm user import --from voipnow`: users and extensions of an account come in, after a dry run if one likes."""

import asyncio

import pytest
from phoneterm_bridge.csv_files.people import PersonTold, make_rows
from phoneterm_bridge.store import reading
from phoneterm_bridge.store.database import open_store, open_to_read
from phoneterm_bridge.store.directory import Directory
from phoneterm_cli.main import make_app
from typer.testing import CliRunner
from voipnow_lab.accounts import Extension
from voipnow_lab.faults import ALWAYS


@pytest.fixture
def phoneterm(lab, tmp_path):
    """Run `phoneterm user import --from voipnow` on the stand-in and an own store."""
    path = tmp_path / "bridge.db"

    async def run(*words, word="import"):
        settings = [word for one in (*lab.bridge_settings, f"store.path={path}") for word in ("--set", one)]
        settings = [one for one in settings if "client_secret" not in one]
        secret = {"PHONETERM_VOIPNOW__CLIENT_SECRET": lab.tokens.client_secret}
        settings = [
            w for i, w in enumerate(settings) if not (w == "--set" and settings[i + 1 : i + 2] in ([], ["--set"]))
        ]
        command = ["user", word, *settings, *words]
        done = await asyncio.to_thread(CliRunner().invoke, make_app(("user",)), command, env=secret)
        return done.exit_code, done.output

    run.path = path
    return run


def users_in(path):
    engine = open_to_read(path)
    try:
        return reading.read_users(engine)
    finally:
        engine.dispose()


@pytest.mark.asyncio(loop_scope="session")
class TestImport:
    async def test_a_dry_run_says_what_would_come_in_and_the_import_does_it(self, lab, phoneterm):
        lab.system.accounts.extensions.append(Extension("0003*180", lab.system.accounts.users[0], "ivr"))
        left_out = "Left out, because they are no phone terminals: '180'.\n"
        would = "Would be done: 3 users added, 3 extensions added.\n"
        assert await phoneterm("--from", "voipnow", "--dry-run") == (0, would + left_out)
        assert not phoneterm.path.exists()
        assert await phoneterm("--from", "voipnow") == (0, would.replace("Would be done", "Done") + left_out)
        assert users_in(phoneterm.path) == [
            ("alice.adams", False, ["101"]), ("bob.brown", False, ["102"]), ("carol.clark", False, ["103"])
        ]  # fmt: skip
        assert await phoneterm("--from", "voipnow") == (0, "Done: nothing, all is there already.\n" + left_out)
        assert lab.system.mistakes == []
        assert {name for name, _ in lab.system.requests} == {"GetUsers", "GetExtensions"}

    async def test_who_is_multi_user_aware_is_asked_later_and_the_list_says_so(self, lab, phoneterm):
        asks = ("--set", "voipnow.permissions=voipnow")
        sentence = "The PBX says who is multi user aware; the bridge asks it as soon as it runs.\n"
        assert (await phoneterm("--from", "voipnow", *asks))[1].endswith(sentence)
        assert (await phoneterm(*asks, word="list"))[1].endswith(sentence)
        assert "multi user aware;" not in (await phoneterm(word="list"))[1]

    async def test_the_users_of_one_account_alone_come_in_if_it_is_named(self, lab, phoneterm):
        assert (await phoneterm("--from", "voipnow", "--account", "8"))[1] == "Done: nothing, all is there already.\n"
        assert (await phoneterm("--from", "voipnow", "--account", "7"))[1] == (
            "Done: 3 users added, 3 extensions added.\n"
        )

    async def test_what_is_there_already_keeps_its_user_and_gets_further_extensions(self, lab, phoneterm):
        engine = open_store(phoneterm.path)
        Directory(engine, "test").add_user("anna")
        Directory(engine, "test").add_extension("101", "anna")
        engine.dispose()
        lab.system.accounts.extensions.append(Extension("0003*104", lab.system.accounts.users[0]))
        await phoneterm("--from", "voipnow")
        assert ("anna", False, ["101", "104"]) in users_in(phoneterm.path)

    async def test_what_is_here_under_another_number_does_not_come_in_again(self, lab, phoneterm):
        engine = open_store(phoneterm.path)
        directory = Directory(engine, "test")
        directory.add_user("anna")
        directory.add_extension("5101", "anna", endpoint="0003*101")
        directory.add_extension("102", "anna", endpoint="0004*102")
        engine.dispose()
        code, output = await phoneterm("--from", "voipnow")
        assert (code, output) == (
            0, "Done: 1 users added, 1 extensions added.\nLeft out: '102' is the number of another extension here.\n"
        )  # fmt: skip
        assert users_in(phoneterm.path) == [("anna", False, ["102", "5101"]), ("carol.clark", False, ["103"])]

    async def test_one_extension_that_cannot_come_in_holds_up_no_other(self, lab, phoneterm):
        users = lab.system.accounts.users
        lab.system.accounts.extensions += [Extension("0003*10a", users[0]), Extension("0003*101", users[1])]
        left_out = "Left out: '10a' cannot be an extension's number here, '101' is told of several users; it came to "
        said = f"3 users added, 3 extensions added.\n{left_out}alice.adams.\n"
        assert await phoneterm("--from", "voipnow", "--dry-run") == (0, f"Would be done: {said}")
        assert await phoneterm("--from", "voipnow") == (0, f"Done: {said}")

    async def test_a_thousand_extensions_come_in(self, lab, phoneterm):
        users = lab.system.accounts.users
        lab.system.accounts.extensions = [Extension(f"0003*{2000 + at}", users[at % 3]) for at in range(1000)]
        assert await phoneterm("--from", "voipnow") == (0, "Done: 3 users added, 1000 extensions added.\n")

    async def test_the_user_whom_voipnow_does_not_tell_of_is_named(self, lab, phoneterm):
        lab.system.accounts.hidden.add(23)
        assert await phoneterm("--from", "voipnow") == (
            1, "VoipNow does not tell its users: fault 117: There is no such user, or it may not be seen. (about the "
            "user carol.clark).\n",
        )  # fmt: skip

    async def test_without_an_answer_it_is_one_sentence(self, lab, phoneterm):
        lab.faults.add("system", "500", ALWAYS)
        assert await phoneterm("--from", "voipnow") == (1, "VoipNow does not tell its users: it answers 500.\n")
        assert not phoneterm.path.exists()

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--from", "avaya"), "--from takes freepbx or voipnow"),
            (("--from", "voipnow", "some.csv"), "--from voipnow takes no file"),
            (("--from", "voipnow", "--account", "x"), "--account is the id of an organization"),
            (("--from", "voipnow", "--account", "7" * 5000), "--account is the id of an organization"),
            (("--account", "7"), "--account is the id of an organization"),
            ((), "Name the file"),
        ],
    )
    async def test_words_that_do_not_fit_are_one_sentence(self, phoneterm, words, said):
        code, output = await phoneterm(*words)
        assert code == 1
        assert output.startswith(said)


def test_two_users_of_one_name_are_told_apart_by_their_number():
    people = [PersonTold("A B", "ab", (("101", "term"),)), PersonTold("A.B", "ab", (("0004*102", "term"),))]
    found = make_rows(people, {})
    assert [row.cells["user"] for row in found.rows] == ["ab", "ab.0004.102"]


def test_a_name_that_is_taken_in_every_form_gets_a_number():
    people = [PersonTold("", "ab", (("102", "term"),)), PersonTold("", "ab", (("103", "term"),))]
    found = make_rows(people, {"500": "ab", "501": "ab.102"}, (), ("ab", "ab.102", "ab.103"))
    assert [row.cells["user"] for row in found.rows] == ["ab.102.2", "ab.103.2"]


def test_a_user_without_a_usable_name_is_named_after_the_number():
    found = make_rows([PersonTold("Ω", "", (("101", "term"),))], {})
    assert [row.cells["user"] for row in found.rows] == ["101"]


def test_a_user_without_a_phone_terminal_does_not_come_in():
    found = make_rows([PersonTold("A", "a", (("180", "ivr"),))], {})
    assert (found.rows, found.left_out) == ([], ["'180'"])
