"""Each finding about the PBX, provoked on the simulator and on a real Asterisk, or only on Asterisk."""

import asyncio
import dataclasses

import pytest
from device.authority import Authority, is_possible
from doctor.reading import change_of, problems, verdicts
from pbx.desk import Desk, make_lab
from pbx_lab.legs import are_alone
from phoneterm_bridge.broker.tls import make_server_context
from phoneterm_bridge.doctor.finding import OK, PROBLEM, UNKNOWN, WARNING
from phoneterm_bridge.doctor.pbx import examine_pbx
from phoneterm_bridge.doctor.pbx_rights import examine_rights, excess_of
from phoneterm_bridge.doctor.pbx_session import open_session
from phoneterm_bridge.doctor.store import read_stored
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory

_BOTH = pytest.mark.parametrize("kind", ["simulator", "asterisk"])
_ASTERISK = pytest.mark.parametrize("kind", ["asterisk"])


@pytest.fixture
async def start_lab(need_part):
    """Return a function that starts a PBX with options."""
    labs = []

    async def start(kind, **options):
        labs.append(make_lab(kind, need_part, **options))
        await labs[-1].start()
        return labs[-1]

    yield start
    for lab in labs:
        await lab.stop()


@pytest.fixture
def examine(make_settings, store_path):
    """Return a function that examines a lab's PBX, with overrides of the settings."""

    async def examine_lab(lab, *overrides):
        login = (f"pbx.port={lab.ami.port}", f"pbx.secret={lab.ami.secret}")
        return await examine_pbx(make_settings(*login, *overrides), read_stored(store_path))

    return examine_lab


@_BOTH
async def test_a_pbx_that_is_right_has_no_problem_and_no_warning(kind, start_lab, examine):
    found = await examine(await start_lab(kind, tells_files=False))
    assert {finding.verdict for finding in found} == {OK, UNKNOWN}
    unknown = ["pbx rights", "pbx features"] + ["endpoints"] * (kind == "simulator")  # which has no DEVICE_STATE
    assert [finding.part for finding in found if finding.verdict == UNKNOWN] == unknown
    assert verdicts(found, "the fastest way there is") == [OK]
    assert verdicts(found, "clock agrees") == [OK]


@_BOTH
async def test_an_empty_featuremap_is_a_problem(kind, start_lab, examine):
    found = await examine(await start_lab(kind, codes="none"))
    assert verdicts(found, "no feature code for attended transfers") == [PROBLEM]
    assert "[featuremap]" in change_of(found, "no feature code") and "atxfer = D" in change_of(found, "no feature code")


@_BOTH
async def test_codes_of_two_tones_work_and_the_faster_line_is_named(kind, start_lab, examine):
    found = await examine(await start_lab(kind, codes="stock"))
    assert verdicts(found, "by playing *2") == [OK]
    assert change_of(found, "by playing *2").endswith("atxfer = D")


@_BOTH
async def test_dials_without_t_are_a_problem_beforehand(kind, start_lab, examine):
    found = await examine(await start_lab(kind, allows_transfer=False))
    (sentence,) = problems(found)
    assert "lacks T or t: 150 in internal" in sentence
    assert "DIAL_OPTIONS = Tt" in change_of(found, "lacks T or t")


@_BOTH
async def test_a_call_that_is_up_tells_its_own_options(kind, start_lab, examine):
    lab = await start_lab(kind, allows_transfer=False)
    await lab.place_call("103", "101")
    assert any("the call of PJSIP/103-" in sentence for sentence in problems(await examine(lab)))


@_BOTH
async def test_a_pbx_about_to_restart_is_not_taken_for_a_wrong_login(kind, start_lab, examine):
    lab = await start_lab(kind)
    await lab.place_call("103", "101")
    await lab.begin_restart()
    found = await examine(lab)
    (sentence,) = problems(found)
    assert "shutting down" in sentence
    assert "core abort shutdown" in change_of(found, "shutting down")


@_BOTH
async def test_the_read_class_shows_only_while_calls_go_on(kind, start_lab, examine):
    lab = await start_lab(kind, tells_files=False)
    assert verdicts(await examine(lab), "has the read class call shows only while calls go on") == [UNKNOWN]
    async with open_session(lab.ami) as session:
        found = await examine_rights(session, lab.ami, has_heard_calls=True)
        assert verdicts(found, "has the read class call.") == [OK]
        await lab.place_call("103", "101")
        await lab.wait_until(lambda _: "call" in session.seen_classes)
        assert verdicts(await examine_rights(session, lab.ami), "has the read class call.") == [OK]


@_BOTH
async def test_a_context_that_does_not_exist_is_a_problem(kind, start_lab, examine, add_extension):
    add_extension("105", context="branch")
    found = await examine(await start_lab(kind))
    assert verdicts(found, "no context branch, which the store names for 105") == [PROBLEM]
    assert "[branch]   # or: phoneterm user change 105 --context" in change_of(found, "no context branch")


@_BOTH
async def test_an_extension_that_its_context_lacks_is_a_problem(kind, start_lab, examine, add_extension):
    add_extension("299")
    found = await examine(await start_lab(kind))
    assert problems(found) == ["The context internal does not have the extensions 299 of the store."]
    assert "exten => 299,1,Dial" in change_of(found, "extensions 299")


@_BOTH
async def test_classes_of_numbers_that_lead_nowhere_are_named(kind, start_lab, examine):
    lab = await start_lab(kind)
    found = await examine(lab, "phones.digit_map=internal:1xx|branch:3xxx|national:0[1-9]x.T")
    assert verdicts(found, "can key branch numbers such as 3") == [WARNING]
    assert verdicts(found, "numbers such as") == [WARNING]


@_BOTH
async def test_a_login_that_is_refused_is_a_problem_with_the_line(kind, start_lab, examine):
    found = await examine(await start_lab(kind), "pbx.secret=wrong")
    assert [finding.verdict for finding in found] == [PROBLEM]
    assert "[phoneterm] secret" in found[0].change.text and "wrong" not in str(found)


@_BOTH
async def test_a_pbx_without_tls_is_one_sentence(kind, start_lab, examine):
    (found,) = await examine(await start_lab(kind), "pbx.tls=true")
    assert found.verdict == PROBLEM
    assert "does not speak TLS" in found.sentence and "5039" in found.change.text


@pytest.mark.parametrize(
    ("name", "dates", "words"),
    [
        ("localhost", ("20200101", "20700101"), "PBX's certificate is good for"),
        ("localhost", ("20200101", "20210101"), "certificate has expired"),
        ("elsewhere", ("20200101", "20700101"), "hostname mismatch"),
    ],
)
async def test_the_certificate_of_a_pbx(tmp_path, monkeypatch, make_settings, store_path, name, dates, words):
    if not is_possible():
        pytest.skip("openssl is not on this machine: install the package openssl.")
    authority = Authority(tmp_path / "authority")
    for option, content in authority.make_server_files(name, dates).items():
        (tmp_path / option).write_bytes(content)
    context = make_server_context(tmp_path / "certfile", tmp_path / "keyfile")
    server = await asyncio.start_server(lambda _, writer: writer.close(), "localhost", 0, ssl=context)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem_path))
    port = server.sockets[0].getsockname()[1]
    settings = make_settings("pbx.tls=true", "pbx.host=localhost", f"pbx.port={port}", "pbx.secret=x")
    found = await examine_pbx(settings, read_stored(store_path))
    server.close()
    is_right = dates[1] == "20700101" and name == "localhost"
    assert verdicts(found, words) == [OK if is_right else PROBLEM]
    if not is_right:
        assert "(FreePBX: manager_custom.conf, below a line [general](+)): tlscertfile" in change_of(found, words)


async def test_a_pbx_that_is_not_there_is_one_sentence(make_settings, store_path):
    (found,) = await examine_pbx(make_settings("pbx.port=1", "pbx.secret=x"), read_stored(store_path))
    assert found.verdict == PROBLEM and "connection refused" in found.sentence


@_ASTERISK
async def test_endpoints_that_do_not_exist_and_phones_that_are_away_are_named(
    kind, start_lab, examine, add_extension, store_path
):
    lab = await start_lab(kind)
    assert verdicts(await examine(lab), "knows the phones of all terminals (1)") == [OK]
    add_extension("104", endpoint="tech-4")
    engine = open_store(store_path)
    Directory(engine, "test").add_terminal("phone-104", "104")
    engine.dispose()
    await lab.set_behaviour("101", "unavailable")
    found = await examine(lab)
    assert verdicts(found, "not registered at the PBX now: 101.") == [WARNING]
    assert verdicts(found, "no endpoint tech-4, so no call") == [PROBLEM]
    assert change_of(found, "no endpoint tech-4").startswith("command line: phoneterm user change 104 --endpoint")


@_BOTH
async def test_a_pbx_that_lets_nobody_in_twice_is_told_as_that_and_not_as_a_wrong_secret(kind, start_lab, examine):
    lab = await start_lab(kind, allows_second_login=False, tells_files=False)
    assert problems(await examine(lab)) == []
    async with Desk(lab) as desk:
        await desk.wait_until(lambda: desk.pbx.is_available)  # the doctor's own login may still be ending
        (finding,) = await examine(lab)
    assert finding.verdict == UNKNOWN
    assert "lets nobody in twice as phoneterm" in finding.sentence
    assert finding.change.file == "manager.conf (FreePBX: manager_custom.conf)"
    assert finding.change.text.startswith("[phoneterm] allowmultiplelogin = yes")


@_ASTERISK
async def test_a_login_that_may_come_in_twice_by_its_own_line_is_examined_beside_the_bridge(kind, start_lab, examine):
    lab = await start_lab(kind, allows_second_login=False, tells_files=False, login_lines="allowmultiplelogin = yes")
    async with Desk(lab):
        assert problems(await examine(lab)) == []


@_BOTH
async def test_a_login_that_may_not_come_from_this_machine_is_told_of_the_permit(kind, start_lab, examine):
    (found,) = await examine(await start_lab(kind, permits_bridge=False))
    assert found.verdict == PROBLEM
    assert "has a permit for this machine's address" in found.sentence
    assert "permit = the address of this machine" in found.change.text


@_ASTERISK
async def test_too_few_classes_are_a_problem(kind, start_lab, examine):
    found = await examine(await start_lab(kind, ami_write="reporting"))
    (sentence,) = problems(found)
    assert "lacks write classes: it may not use BlindTransfer" in sentence
    assert change_of(found, "lacks write classes").endswith("write = call,reporting")


@_ASTERISK
@pytest.mark.parametrize("tells_files", [True, False])
async def test_too_many_classes_are_named(kind, start_lab, examine, tells_files):
    found = await examine(
        await start_lab(
            kind, tells_files=tells_files, ami_read="call,system,security", ami_write="call,reporting,originate"
        )
    )
    assert verdicts(found, "more write classes than a bridge needs: originate.") == [WARNING]
    assert verdicts(found, "lacks the read class call") == []
    assert verdicts(found, "more read classes than a bridge needs: security, system.") == [WARNING]


@_ASTERISK
async def test_a_pbx_that_tells_its_files_is_warned_of_and_read(kind, start_lab, examine):
    found = await examine(await start_lab(kind, ami_read="system", min_dtmf_ms=80))
    assert verdicts(found, "can read all of the PBX's files") == [WARNING]
    assert verdicts(found, "more read classes than a bridge needs: system.") == [WARNING]
    assert verdicts(found, "lacks the read class call") == [PROBLEM]
    assert change_of(found, "can read all of").endswith("(FreePBX: Admin, Asterisk Modules): noload = func_config.so")


@_ASTERISK
async def test_a_login_that_may_everything_is_said_to(kind, start_lab, examine):
    found = await examine(await start_lab(kind, ami_read="all", ami_write="all"))
    assert verdicts(found, "more read classes than a bridge needs: all.") == [WARNING]
    (excess,) = [finding.sentence for finding in found if "more write classes" in finding.sentence]
    assert all(name in excess for name in ("command", "config", "originate", "system", "user"))
    assert problems(found) == []


@_ASTERISK
async def test_long_tones_are_read_from_the_pbxs_file(kind, start_lab, examine):
    found = await examine(await start_lab(kind, min_dtmf_ms=80))
    assert verdicts(found, "takes 80 ms (mindtmfduration)") == [OK]
    assert change_of(found, "takes 80 ms").endswith("mindtmfduration = 20")
    assert verdicts(found, "has the read class call") == [OK]


@_BOTH
async def test_a_call_that_is_up_stays_as_it_is(kind, start_lab, examine):
    lab = await start_lab(kind)
    await lab.place_call("103", "101")
    before = await lab.wait_until(lambda legs: are_alone(legs, "103", "101"))
    await examine(lab)
    assert [dataclasses.astuple(leg) for leg in await lab.legs()] == [dataclasses.astuple(leg) for leg in before]


def test_classes_beyond_those_of_a_bridge():
    actions = {
        "Ping": frozenset(),
        "Hangup": frozenset({"system", "call"}),
        "Reload": frozenset({"system", "config"}),
        "UpdateConfig": frozenset({"config"}),
        "MailboxX": frozenset({"agent", "user"}),
    }
    assert excess_of(actions) == ["agent/user", "config"]
