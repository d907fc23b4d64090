"""Each finding about who is multi user aware at VoipNow, provoked on its stand-in."""

import sys

import pytest
from doctor.reading import change_of, problems, verdicts
from phoneterm_bridge.broker.site_tls import CA, SiteTls
from phoneterm_bridge.doctor.examination import examine_all
from phoneterm_bridge.doctor.finding import OK, PROBLEM, UNKNOWN, WARNING
from phoneterm_bridge.doctor.store import read_stored
from phoneterm_bridge.doctor.voipnow_permissions import examine_permissions
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.pbx_permissions import PbxPermissions, ToldExtension
from voipnow_lab.faults import ALWAYS
from voipnow_lab.voipnow_lab import VoipNowLab


@pytest.fixture
async def lab():
    """A stand-in of VoipNow, which the bridge is to ask who is multi user aware."""
    lab = VoipNowLab(permissions="voipnow")
    await lab.start()
    yield lab
    await lab.stop()


@pytest.fixture
def examine(lab, make_settings, store_path):
    """Return a function that examines the stand-in, with overrides of the settings."""

    async def examine_lab(*overrides):
        return await examine_permissions(make_settings(*lab.bridge_settings, *overrides), read_stored(store_path))

    return examine_lab


@pytest.fixture
def directory(store_path):
    """The store's directory."""
    engine = open_store(store_path)
    yield Directory(engine, "test")
    engine.dispose()


async def test_where_all_is_well_each_extension_is_named_with_its_flag(examine, lab, directory):
    directory.add_user("bob")
    directory.add_extension("102", "bob")
    directory.add_terminal("t102", "102")
    findings = await examine()
    assert problems(findings) == []
    assert verdicts(findings, "SystemAPI can be asked, version latest") == [OK]
    assert verdicts(findings, "are multi user aware at VoipNow: 101.") == [OK]
    assert verdicts(findings, "are not multi user aware at VoipNow: 102.") == [OK]
    assert "phoneterm user allow bob" in change_of(findings, "are not multi user aware")
    assert verdicts(findings, "may also change") == [UNKNOWN]
    assert lab.acted == []
    assert lab.system.mistakes == []


async def test_the_whole_doctor_looks_at_it(lab, make_settings):
    assert verdicts(await examine_all(make_settings(*lab.bridge_settings)), "SystemAPI can be asked") == [OK]


async def test_with_the_store_in_charge_nobody_is_asked(examine, lab):
    findings = await examine("voipnow.permissions=store")
    assert verdicts(findings, "is what the store says") == [OK]
    assert lab.requests == []


@pytest.mark.parametrize(
    ("kind", "way", "said", "remedy"),
    [
        ("wsdl", "404", "it has no WSDL of SystemAPI that the bridge knows", 'system_api_version = "..."'),
        ("wsdl", "bomb", "its WSDL is no XML", 'system_api_version = "..."'),
        ("system", "500", "it answers 500", 'url = "https://..."'),
        ("token", "500", "it answers 500 without a token", 'url = "https://..."'),
    ],
)
async def test_what_cannot_be_asked_is_named_with_its_remedy(examine, lab, kind, way, said, remedy):
    lab.faults.add(kind, way, ALWAYS)
    findings = await examine()
    assert len(problems(findings)) == 1
    assert said in problems(findings)[0]
    assert remedy in change_of(findings, said)


async def test_a_version_that_is_not_taken_is_named(examine, lab):
    lab.system.taken = ()
    assert "system_api_version" in change_of(await examine(), "takes no version of SystemAPI")


async def test_another_certificate_and_an_app_that_is_not_trusted_are_named(examine, lab, tmp_path):
    other = SiteTls(tmp_path / "other")
    other.make("another site", ["127.0.0.1"], 1)
    assert "ca_path" in change_of(await examine(f"voipnow.ca_path={other.path(CA)}"), "certificate")
    lab.tokens.is_trusted = False
    assert "is it trusted" in change_of(await examine(), "refuses the app")


async def test_rights_that_the_app_does_not_have_are_named(examine, lab):
    lab.faults.add("system", "fault 104", ALWAYS)
    findings = await examine()
    assert verdicts(findings, "tells the app of no terminal's extension (fault 104") == [PROBLEM]
    assert "must belong to the organization" in change_of(findings, "no terminal's extension")


async def test_an_extension_that_voipnow_does_not_have_and_one_of_another_type_are_named(examine, lab, directory):
    for number in ("102", "199"):
        directory.add_extension(number, "tech1")
        directory.add_terminal(f"t{number}", number)
    lab.system.accounts.find_extension("0003*102").type = "ivr"
    findings = await examine()
    assert verdicts(findings, "does not tell of 199 (fault 117") == [PROBLEM]
    assert "phoneterm user change 199 --endpoint" in change_of(findings, "does not tell of 199")
    assert verdicts(findings, "102 is of type ivr") == [WARNING]
    assert "phoneterm terminal remove t102" in change_of(findings, "102 is of type ivr")


async def test_a_user_of_two_users_who_do_not_agree_is_named(examine, directory):
    directory.add_extension("102", "tech1")
    directory.add_terminal("t102", "102")
    assert "phoneterm user change 102 --user" in change_of(await examine(), "tech1 has extensions of several users")


async def test_a_user_of_two_users_is_named_where_only_one_of_the_extensions_has_a_terminal(examine, directory):
    directory.add_extension("102", "tech1")
    findings = await examine()
    assert verdicts(findings, "Without the flag are those of 102.") == [WARNING]
    assert "phoneterm user change 102 --user" in change_of(findings, "tech1 has extensions of several users")


async def test_an_extension_that_voipnow_has_no_more_and_that_holds_a_flag_back_is_named(
    examine, directory, store_path, lab
):
    directory.add_extension("102", "tech1")
    engine = open_store(store_path)
    PbxPermissions(engine, "VoipNow", "test").take({"102": ToldExtension("22", "term", False)}, {})
    engine.dispose()
    lab.system.accounts.extensions.remove(lab.system.accounts.find_extension("0003*102"))
    findings = await examine()
    assert verdicts(findings, "Without the flag are those of 102.") == [WARNING]
    assert "phoneterm user remove-extension 102" in change_of(findings, "Without the flag")


async def test_what_the_bridge_was_told_last_is_looked_at(examine, directory, store_path):
    engine = open_store(store_path)
    store = PbxPermissions(engine, "VoipNow", "test")
    store.follow()
    store.take({"101": ToldExtension("21", "term", True)}, {})
    assert verdicts(await examine(), "said last") == []
    store.take({}, {"101": "fault 117"})
    store.note_away("it answers 500", "away")
    findings = await examine()
    assert verdicts(findings, "It has not answered since") == [WARNING]
    assert verdicts(findings, "whether 101 is multi user aware (fault 117). That counts until it expires.") == [WARNING]
    store.expire(["101"], "it answers 500")
    findings = await examine()
    assert verdicts(findings, "That is too long ago, so it may not transfer.") == [PROBLEM]
    assert "may it see 101?" in change_of(findings, "That is too long ago")
    store.take({"101": ToldExtension("21", "term", True)}, {})
    store.expire(["101"], "it was not asked")
    assert "phoneterm bridge run" in change_of(await examine(), "That is too long ago")
    engine.dispose()


async def test_without_the_extra_it_is_one_sentence_with_both_ways_out(examine, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("phoneterm_bridge.pbx.voipnow.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "zeep", None)
    findings = await examine()
    assert verdicts(findings, "Permissions from VoipNow need the extra: pip install 'phoneterm[voipnow]'") == [PROBLEM]
    assert 'permissions = "store"' in change_of(findings, "need the extra")
