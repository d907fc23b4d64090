"""`phoneterm tls` makes a CA and a broker's certificate that boards accept, renews it, and overwrites nothing."""

import json
import os
import ssl
import stat
from datetime import UTC, datetime, timedelta

import pytest
from bridge.other_user import folder_for_others, run_as_other
from cryptography.hazmat.primitives import serialization
from device_cable.enrolment import prepare
from device_cable.nvs import CA_PATH
from device_cable.wifi_access import WifiAccess
from phoneterm_bridge.broker import authority
from phoneterm_bridge.broker.address import Address, judge_address
from phoneterm_bridge.broker.site_tls import BROKER, BROKER_KEY, CA, CA_KEY, SiteTls
from phoneterm_bridge.broker.terminal_settings import device_settings
from phoneterm_bridge.broker.tls import make_server_context
from phoneterm_bridge.cli import tls_app
from phoneterm_bridge.cli.broker import read_ca
from phoneterm_bridge.doctor.certificate import examine_files
from phoneterm_bridge.doctor.finding import OK
from phoneterm_bridge.settings.bridge import BrokerSettings, load_settings
from phoneterm_bridge.settings.problem import SetupProblem
from phoneterm_bridge.wording.service import how_to_reload, how_to_restart
from typer.testing import CliRunner

FILES = {CA, CA_KEY, BROKER, BROKER_KEY}


@pytest.fixture
def run(tmp_path):
    """Return a function that runs `phoneterm tls ...` beside a store in tmp_path; it returns (exit code, output)."""

    def run(*arguments):
        result = CliRunner().invoke(tls_app, [*arguments, f"--set=store.path={tmp_path / 'store.db'}"])
        return result.exit_code, result.output

    return run


def contents(folder):
    return {path.name: path.read_bytes() if path.is_file() else None for path in folder.iterdir()}


def put_pipe(path):
    """Put a pipe in a file's place, into which nobody ever writes."""
    path.unlink()
    os.mkfifo(path, 0o600)


def names(folder):
    return authority.names_of(SiteTls(folder).read(BROKER))


def test_init_makes_four_private_files_of_the_folders_owner_and_never_overwrites_one(run, tmp_path):
    os.chown(tmp_path, 1234, 1234) if os.geteuid() == 0 else None
    code, output = run("init", "broker.example")
    assert (code, "good until" in output) == (0, True)
    before = contents(tmp_path / "tls")
    assert before.keys() == FILES
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "tls").iterdir()} == {0o600}
    assert {path.stat().st_uid for path in (tmp_path / "tls").iterdir()} == {tmp_path.stat().st_uid}
    code, output = run("init", "broker.example")
    assert (code, "exists already and is kept" in output, output.count("\n")) == (1, True, 1)
    assert contents(tmp_path / "tls") == before


def test_systemctl_is_named_only_where_systemd_runs_the_bridge(run, tmp_path):
    assert f"Then: {how_to_restart()}; phoneterm doctor." in run("init", "broker.example")[1]
    unit, runs = tmp_path / "etc/systemd/system/phoneterm-bridge.service", tmp_path / "run/systemd/system"
    for made, says_systemctl in ((unit, False), (runs, True)):
        (made if made is runs else made.parent).mkdir(parents=True)
        unit.touch()
        words = how_to_reload(tmp_path), how_to_restart(tmp_path)
        assert [word.startswith("systemctl re") for word in words] == [says_systemctl] * 2
    assert "kill -HUP" in how_to_reload(tmp_path / "elsewhere")


@pytest.mark.parametrize("name", sorted(FILES))
def test_init_beside_one_of_its_files_makes_none(run, tmp_path, name):
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls" / name).write_text("mine")
    assert run("init", "broker.example")[0] == 1
    assert contents(tmp_path / "tls") == {name: b"mine"}


def test_without_names_init_takes_those_of_this_machine_and_the_settings(run, tmp_path):
    code, output = run("init", "--set=broker.host=broker.lab")
    assert code == 0, output
    assert {"broker.lab", "localhost", "127.0.0.1"} <= set(names(tmp_path / "tls"))


def test_the_keys_are_p256_and_the_certificate_is_what_its_ca_signed(run, tmp_path):
    run("init", "broker.example", "10.0.0.5")
    site = SiteTls(tmp_path / "tls")
    key = serialization.load_pem_private_key((tmp_path / "tls" / BROKER_KEY).read_bytes(), None)
    assert key.curve.name == "secp256r1"
    assert authority.is_signed_by(site.read(BROKER), site.read(CA))
    assert names(site.folder) == ["broker.example", "localhost", "10.0.0.5", "127.0.0.1"]
    assert site.days_left(CA) > 7000 > 800 > site.days_left(BROKER) > 700


def test_renew_makes_a_new_pair_by_the_same_ca_for_the_same_names_unless_others_are_given(run, tmp_path):
    run("init", "broker.example")
    before, named = contents(tmp_path / "tls"), names(tmp_path / "tls")
    code, output = run("renew")
    assert (code, f"without a restart: {how_to_reload()}." in output) == (0, True)
    after = contents(tmp_path / "tls")
    assert {name for name in FILES if before[name] != after[name]} == {BROKER, BROKER_KEY}
    assert names(tmp_path / "tls") == named
    run("renew", "other.example")
    assert names(tmp_path / "tls") == ["other.example", "localhost", "127.0.0.1"]
    make_server_context(tmp_path / "tls" / BROKER, tmp_path / "tls" / BROKER_KEY)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda tls, other: (tls / CA_KEY).write_bytes((other / CA_KEY).read_bytes()), "key does not belong to the CA"),
        (lambda tls, other: (tls / CA).write_bytes((other / CA).read_bytes()), "key does not belong to the CA"),
        (lambda tls, other: (tls / CA).write_text("junk"), "ca.pem cannot be used. It is not a certificate"),
        (lambda tls, other: (tls / CA_KEY).write_text("junk"), "ca.key"),
        (lambda tls, other: put_pipe(tls / CA), "ca.pem is no file"),
        (lambda tls, other: (tls / CA_KEY).unlink(), "bring the CA's key back from where it is kept"),
    ],
)
def test_renew_keeps_the_certificate_when_the_ca_could_not_sign_one_that_boards_accept(run, tmp_path, spoil, sentence):
    run("init", "broker.example")
    SiteTls(tmp_path / "other").make("x", ["x.example"], 9)
    spoil(tmp_path / "tls", tmp_path / "other")
    before = contents(tmp_path / "tls")
    code, output = run("renew")
    assert (code, sentence in output, output.count("\n")) == (1, True, 1), output
    assert contents(tmp_path / "tls") == before


def test_renew_with_a_name_that_is_empty_keeps_the_certificate(run, tmp_path):
    run("init", "broker.example")
    code, output = run("renew", "")
    assert (code, "Name at least one name" in output) == (1, True), output
    assert names(tmp_path / "tls") == ["broker.example", "localhost", "127.0.0.1"]


def test_a_folder_that_cannot_be_entered_is_one_sentence():
    with folder_for_others() as folder:
        (folder / "closed").mkdir(mode=0)
        imports = "import sys\nfrom phoneterm_bridge.cli import tls_app"
        words = ["tls", "init", "broker.example", "--folder", "closed/tls", "--set=store.path=s.db"]
        printed = run_as_other(imports, f"sys.argv = {words}\ntls_app()", folder)
    assert printed == "The folder closed/tls cannot be written: Permission denied.\n"


def test_show_says_for_whom_until_when_and_whether_they_belong_together(run, tmp_path):
    run("init", "broker.example")
    code, output = run("show")
    assert (code, "for broker.example, localhost" in output, "signed by this CA: yes" in output) == (0, True, True)
    shown = json.loads(run("show", "--json")[1])
    assert shown["certificate"]["names"] == ["broker.example", "localhost", "127.0.0.1"]
    assert shown["certificate"]["is_signed_by_ca"] and shown["ca"]["days_left"] > 7000 and shown["ca"]["has_key"]
    SiteTls(tmp_path / "other").make("x", ["x.example"], 9)
    (tmp_path / "tls" / BROKER).write_bytes((tmp_path / "other" / BROKER).read_bytes())
    assert "signed by this CA: NO" in run("show")[1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("init", "broker:8883"), "'broker:8883' is neither a DNS name nor an IP address"),
        (("init", "mqtt://broker"), "'mqtt://broker' is neither a DNS name nor an IP address"),
        (("init", "0.0.0.0"), "The address 0.0.0.0 is not one at which a terminal can reach the broker"),
        (("init", "*.example"), "'*.example' is neither"),
        (("init", "255.255.255.255"), "The address 255.255.255.255 is not one at which"),
        (("init", "fe80::1%eth0"), "The address fe80::1%eth0 is not one at which"),
        (("init", ""), "Name at least one name or address by which terminals find the broker"),
        (("renew",), "`phoneterm tls init` makes CA and certificate"),
        (("show",), "`phoneterm tls init` makes CA and certificate"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_no_file(run, tmp_path, arguments, sentence):
    code, output = run(*arguments)
    assert (code, sentence in output, output.count("\n")) == (1, True, 1), output
    assert not (tmp_path / "tls").exists()


def test_a_certificate_never_outlives_its_ca_and_renew_says_when_that_ends_and_what_to_do(run, tmp_path):
    long_ago = SiteTls(tmp_path / "tls", lambda: datetime.now(UTC) - timedelta(days=authority.CA_DAYS - 300))
    long_ago.make("site", ["broker.example"], 10)
    code, output = run("renew")
    site = SiteTls(tmp_path / "tls")
    assert (code, "The CA ends in 299 days" in output, "make provision" in output) == (0, True, True)
    assert site.read(BROKER).not_valid_after_utc == site.read(CA).not_valid_after_utc


def test_a_ca_that_has_ended_signs_nothing(run, tmp_path):
    ended = SiteTls(tmp_path / "tls", lambda: datetime.now(UTC) - timedelta(days=authority.CA_DAYS + 1))
    ended.make("site", ["broker.example"], 10)
    before = contents(tmp_path / "tls")
    code, output = run("renew")
    assert (code, output.startswith("The CA ended on ")) == (1, True)
    assert contents(tmp_path / "tls") == before


def test_a_key_with_a_pass_phrase_is_refused_in_one_sentence_and_nobody_is_asked(tmp_path):
    site = SiteTls(tmp_path / "tls")
    site.make("site", ["broker.example"], 10)
    key = serialization.load_pem_private_key(site.path(BROKER_KEY).read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"secret words")
    form = serialization.PrivateFormat.PKCS8
    site.path(BROKER_KEY).write_bytes(key.private_bytes(serialization.Encoding.PEM, form, locked))
    with pytest.raises(SetupProblem, match=r"\(broker\.key_path\) has a pass phrase.* without one\.$"):
        make_server_context(site.path(BROKER), site.path(BROKER_KEY))


def test_the_lines_that_init_prints_give_the_broker_tls_and_boards_their_ca(tmp_path):
    place = tmp_path / "phoneterm.toml"
    place.write_text("[broker]\n")
    result = CliRunner().invoke(tls_app, ["init", "broker.example", f"--config={place}"])
    lines = [line.strip() for line in result.output.splitlines() if line.startswith("  ")]
    assert len(lines) == 5
    place.write_text("\n".join(["[broker]", *lines]))
    broker = load_settings(place).broker
    assert [finding.verdict for finding in examine_files(broker)] == [OK]
    board = prepare("t101", broker, judge_address(broker, "broker.example", None, None), WifiAccess("lab", "12345678"))
    assert (board.texts["tls"], board.texts["mqtt_port"]) == ("ca", "8883")
    assert board.contents == {CA_PATH: ssl.PEM_cert_to_DER_cert((tmp_path / "state/tls/ca.pem").read_text())}


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
async def test_the_firmware_comes_to_its_permissions_with_what_init_has_made(run, tmp_path, make, start_phone, name):
    """Under a DNS name, and under the address alone."""
    assert run("init", "broker.example")[0] == 0
    site = SiteTls(tmp_path / "tls")
    paths = {"ca_path": site.path(CA), "certificate_path": site.path(BROKER), "key_path": site.path(BROKER_KEY)}
    broker = BrokerSettings(host="0.0.0.0", port=0, **paths)
    scene = await make.Scene(tmp_path, broker=broker).start()
    try:
        (tmp_path / "ca.der").write_bytes(read_ca(broker))
        assert ssl.DER_cert_to_PEM_cert((tmp_path / "ca.der").read_bytes()).split() == site.path(CA).read_text().split()
        reached = broker.model_copy(update={"port": scene.bridge.broker_port})
        texts = device_settings(scene.enrolment, reached, Address("127.0.0.1", name)) | {"wifi_ssid": "lab"}
        client = await start_phone(texts | {"tls_ca_path": str(tmp_path / "ca.der")})
        await client.wait_for_signal("ready")
        await make.until(lambda: not scene.bridge.parts.updates.deliveries.missing(scene.enrolment.tid))
    finally:
        await scene.stop()
