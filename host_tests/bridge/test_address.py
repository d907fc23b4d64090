"""The broker's address for terminals: judged in one place, for every command that gives it to a terminal."""

import json
import shutil

import pytest
from device.authority import Authority, is_possible
from phoneterm_bridge.broker.address import Address, judge_address
from phoneterm_bridge.broker.certificate_names import is_carried
from phoneterm_bridge.cli import terminal_app, user_app
from phoneterm_bridge.settings.broker import BrokerSettings
from phoneterm_bridge.settings.problem import SetupProblem
from typer.testing import CliRunner

PLAIN = BrokerSettings(allow_plain=True, host="0.0.0.0")
STAFF = "user,extension,terminal\nanna,101,t101\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run `phoneterm user` or `terminal` in an empty folder; returns what it printed, and asserts its exit code."""
    monkeypatch.chdir(tmp_path)

    def run_command(app, *arguments, exit_code=0):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == exit_code, result.output
        return result.output

    return run_command


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "For a board, 127.0.0.1 is the board itself: name this machine's address"),
        (("--mqtt-host", "localhost"), "is the board itself"),
        (("--mqtt-host", "0.0.0.0"), "a board needs one of them: name it with"),
        (("--mqtt-host", "broker.example:8883"), "a host's name or IP address alone, not 'broker.example:8883'"),
        (("--mqtt-host", "mqtts://broker.example"), "alone, not 'mqtts://broker.example'"),
        (("--mqtt-host", "bro ker"), "alone, not 'bro ker'"),
        (("--mqtt-host", "broker\n"), r"alone, not 'broker\n'"),
        (("--mqtt-host", "broker.example", "--time-host", "a:123"), "The time server is a host's name"),
        (("--mqtt-host", "broker.example"), "No board would connect to this broker, because it has no TLS"),
    ],
)
def test_every_command_refuses_what_no_board_can_use_and_changes_nothing(run, tmp_path, options, words):
    (tmp_path / "staff.csv").write_text(STAFF)
    run(user_app, "add", "bert", "--extension", "102")
    run(terminal_app, "add", "--extension", "102", "--tid", "t102", "--here", "--output", "-")
    shown = run(terminal_app, "list")
    for app, command in (
        (user_app, ("import", "staff.csv", "--output", "new")),
        (user_app, ("import", "staff.csv", "--output", "new", "--dry-run")),
        (terminal_app, ("add", "--extension", "102", "--tid", "second")),
        (terminal_app, ("rotate", "t102")),
    ):
        assert words in run(app, *command, *options, exit_code=1)
    assert run(terminal_app, "list") == shown
    assert not list(tmp_path.rglob("*.json"))


def test_a_file_has_all_that_the_board_needs(run, tmp_path):
    if not is_possible():
        pytest.skip("openssl is not on this machine: install the package openssl.")
    authority = Authority(tmp_path / "authority")
    files = authority.make_server_files("broker.example")
    (tmp_path / "broker.pem").write_bytes(files["certfile"])
    (tmp_path / "broker.key").write_bytes(files["keyfile"])
    (tmp_path / "phoneterm.toml").write_text(
        '[broker]\nhost = "0.0.0.0"\ncertificate_path = "broker.pem"\nkey_path = "broker.key"\n'
        f'ca_path = "{authority.pem_path}"\n'
    )
    run(user_app, "add", "anna", "--extension", "101")
    add = ("add", "--extension", "101", "--output", str(tmp_path))
    assert "(its certificate is for broker.example)" in run(terminal_app, *add, exit_code=1)
    assert "for broker.example, not for 10.1.2.3" in run(terminal_app, *add, "--mqtt-host", "10.1.2.3", exit_code=1)
    named = ("--mqtt-host", "10.1.2.3", "--tls-host", "broker.example", "--time-host", "10.1.2.4")
    assert "phone-101.json" in run(terminal_app, *add, *named)
    document = json.loads((tmp_path / "phone-101.json").read_text())
    assert document["version"] == 1
    assert [document[key] for key in ("extension", "mqtt_host", "tls_host", "time_host", "tls")] == [
        "101", "10.1.2.3", "broker.example", "10.1.2.4", "ca"
    ]  # fmt: skip
    assert "BEGIN CERTIFICATE" not in document["ca"]
    shutil.rmtree(tmp_path / "authority")
    assert "is not one CA in PEM form" in run(terminal_app, "rotate", "phone-101", "-o", "-", *named, exit_code=1)


def test_a_usable_address_is_taken_as_it_is():
    for host in ("broker.example", "10.0.0.5", "broker", "xn--br-ker.example", "2001:db8::5"):
        assert judge_address(PLAIN, host, None, None) == Address(host)
    assert judge_address(BrokerSettings(), None, None, None, is_here=True) == Address("127.0.0.1")
    with pytest.raises(SetupProblem, match="for a broker that shows one"):
        judge_address(PLAIN, "broker.example", "broker.example", None)


def test_a_certificate_carries_its_names_addresses_and_one_more_word_for_a_star():
    names = ["Broker.Example", "10.0.0.5", "*.site.example"]
    for host in ("broker.example", "BROKER.example.", "10.0.0.5", "pbx.site.example"):
        assert is_carried(host, names)
    for host in ("example", "10.0.0.6", "site.example", "a.b.site.example"):
        assert not is_carried(host, names)
