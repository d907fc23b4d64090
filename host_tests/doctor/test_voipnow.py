"""Each finding about VoipNow, provoked on its stand-in."""

import pytest
from doctor.reading import change_of, problems, verdicts
from lab_parts.free_port import free_port
from phoneterm_bridge.broker.site_tls import CA, SiteTls
from phoneterm_bridge.doctor.examination import examine_all
from phoneterm_bridge.doctor.finding import OK, PROBLEM, UNKNOWN, WARNING
from phoneterm_bridge.doctor.store import Stored, read_stored
from phoneterm_bridge.doctor.voipnow import examine_voipnow
from phoneterm_bridge.settings.http import HttpSettings
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.web.pages import make_app
from phoneterm_bridge.web.server import HttpServer
from voipnow_lab.faults import ALWAYS
from voipnow_lab.voipnow_lab import VoipNowLab


@pytest.fixture
async def lab():
    """A stand-in of VoipNow."""
    lab = VoipNowLab()
    await lab.start()
    yield lab
    await lab.stop()


@pytest.fixture
def examine(lab, make_settings, store_path):
    """Return a function that examines the stand-in, with overrides of the settings."""

    async def examine_lab(*overrides):
        settings = make_settings(*lab.bridge_settings, *overrides)
        return await examine_voipnow(settings.voipnow, read_stored(store_path))

    return examine_lab


async def test_where_all_is_well_it_says_so(examine, lab):
    findings = await examine()
    assert problems(findings) == []
    assert verdicts(findings, "gives the bridge's app a token") == [OK]
    assert verdicts(findings, "shows the calls of all terminals' extensions (1)") == [OK]
    assert verdicts(findings, "no attended transfer") == [OK]
    assert lab.acted == []
    assert lab.events.registrations == []


async def test_without_a_terminal_it_does_not_say_that_all_calls_are_shown(lab, make_settings):
    findings = await examine_voipnow(make_settings(*lab.bridge_settings).voipnow, Stored())
    assert verdicts(findings, "No terminal is enrolled yet") == [UNKNOWN]
    assert verdicts(findings, "shows the calls of all terminals") == []


async def test_a_list_that_takes_longer_than_a_transfer_waits_for_it_is_a_problem(examine, lab):
    lab.faults.slow_s = 2.1
    lab.faults.add("list", "slow", 2)
    findings = await examine()
    assert verdicts(findings, "a transfer is only asked for if that takes less than 2000 ms") == [PROBLEM]


async def test_a_round_of_single_lists_that_takes_long_is_told(examine, lab):
    lab.faults.slow_s = 5.1
    lab.faults.add("list", "slow")
    findings = await examine("voipnow.lists=each", "voipnow.timeout_ms=8000")
    assert verdicts(findings, "so a phone can learn that late") == [WARNING]
    assert 'lists = "together"' in change_of(findings, "one after the other")


async def test_a_composed_attended_transfer_is_shown_with_its_flaw(examine):
    findings = await examine("voipnow.attended=composed")
    assert verdicts(findings, "each colleague is rung twice") == [WARNING]
    assert 'attended = "refused"' in change_of(findings, "rung twice")


async def test_the_whole_doctor_asks_voipnow_and_no_asterisk(lab, make_settings):
    findings = await examine_all(make_settings(*lab.bridge_settings))
    assert verdicts(findings, "gives the bridge's app a token") == [OK]
    assert not any("manager" in finding.sentence or "pbx.secret" in finding.sentence for finding in findings)


async def test_a_wrong_secret_and_an_app_that_is_not_trusted_have_different_remedies(examine, lab):
    findings = await examine("voipnow.client_secret=wrong")
    assert verdicts(findings, "no token (invalid_client)") == [PROBLEM]
    assert "PHONETERM_VOIPNOW__CLIENT_SECRET" in change_of(findings, "no token")
    lab.tokens.is_trusted = False
    assert "is it trusted" in change_of(await examine(), "no token (unauthorized_client)")


async def test_a_voipnow_that_is_not_there_or_has_another_certificate_is_named(examine, lab, tmp_path):
    other = SiteTls(tmp_path / "other")
    other.make("another site", ["127.0.0.1"], 1)
    assert 'ca_path = "..."' in change_of(await examine(f"voipnow.ca_path={other.path(CA)}"), "its cert")
    await lab.close_https()
    findings = await examine()
    assert verdicts(findings, "cannot be asked for a token: nobody answers there") == [PROBLEM]
    assert 'url = "https://..."' in change_of(findings, "cannot be asked")
    await lab.open_https()


async def test_a_ca_that_is_none_is_named(examine, store_path):
    assert verdicts(await examine(f"voipnow.ca_path={store_path}"), "is not a CA in PEM form") == [PROBLEM]


async def test_an_extension_that_voipnow_does_not_show_is_named(examine, add_extension, store_path):
    add_extension("210", endpoint="0004*210")
    engine = open_store(store_path)
    Directory(engine, "test").add_terminal("t210", "210")
    engine.dispose()
    findings = await examine()
    assert verdicts(findings, "does not show the calls of 0004*210: it answers 403 (access_denied)") == [PROBLEM]
    assert "phoneterm user change 210 --endpoint" in change_of(findings, "0004*210")


async def test_a_user_whose_calls_are_not_shown_is_a_problem(examine, lab):
    lab.faults.add("list", "403")
    assert 'lists = "each"' in change_of(await examine(), "does not show the calls of all extensions of @me")


async def test_a_list_that_lacks_the_terminals_calls_is_a_problem(examine, lab):
    await lab.place_call("103", "101")
    lab.faults.add("list", "nothing")
    findings = await examine()
    assert 'lists = "each"' in change_of(findings, "are not among those of @self")
    assert problems(await examine()) == []


async def test_a_list_that_does_not_come_is_a_problem(examine, lab):
    lab.faults.add("list", "500", ALWAYS)
    assert len(problems(await examine())) == 1


async def test_a_list_that_takes_longer_than_the_pause_is_a_warning(examine, lab):
    lab.faults.slow_s = 0.3
    lab.faults.add("list", "slow")
    findings = await examine("voipnow.poll_ms=100")
    assert verdicts(findings, "longer than from one look to the next") == [WARNING]


async def test_an_address_for_events_that_leads_nowhere_or_elsewhere_is_a_warning(examine, lab):
    port = free_port()
    where = f"voipnow.events_url=http://127.0.0.1:{port}/calls"
    assert verdicts(await examine("http.enabled=true", where), "does not answer here") == [WARNING]
    assert verdicts(await examine("http.enabled=true", f"voipnow.events_url={lab.url}"), "does not answer") == [WARNING]
    pages = HttpServer(HttpSettings(enabled=True, port=port), make_app(dict, dict, None))
    await pages.start()
    assert verdicts(await examine("http.enabled=true", where), "leads to the bridge") == [OK]
    await pages.stop()
