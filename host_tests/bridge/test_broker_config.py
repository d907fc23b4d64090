"""`phoneterm broker config` writes a mosquitto's files: the same for the same store, readable only by the owner."""

import stat

import pytest
from attack_lab.scenery.fresh_store import open_fresh_store
from phoneterm_bridge.cli import broker_app
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory
from typer.testing import CliRunner

PEM = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
PASSWORD = "broker.password=a password of the bridge"


@pytest.fixture
def directory(tmp_path):
    """A store with the terminals phone-101 and phone-102."""
    engine = open_fresh_store(tmp_path / "store.db")
    directory = Directory(engine, "test")
    directory.add_user("tech1", True)
    for number in ("101", "102"):
        directory.add_extension(number, "tech1")
        directory.add_terminal(f"phone-{number}", number)
    yield directory
    engine.dispose()


@pytest.fixture
def run(tmp_path, directory):
    """Return a function that runs `phoneterm broker ...` with settings and returns (exit code, output)."""

    def run(*arguments, settings=("broker.embedded=false", PASSWORD)):
        secrets = {"PHONETERM_BROKER__PASSWORD": PASSWORD.partition("=")[2]} if PASSWORD in settings else {}
        texts = (f"store.path={tmp_path / 'store.db'}", *(one for one in settings if one != PASSWORD))
        result = CliRunner().invoke(broker_app, [*arguments, *(f"--set={one}" for one in texts)], env=secrets)
        return result.exit_code, result.output

    return run


def read(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_it_writes_three_files_that_only_their_owner_can_read_and_says_what_to_do_next(run, tmp_path):
    folder = tmp_path / "mosquitto"
    code, output = run("config", str(folder))
    assert code == 0
    assert sorted(read(folder)) == ["mosquitto.conf", "phoneterm.access", "phoneterm.passwords"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "systemctl reload mosquitto" in output


def test_the_configuration_listens_on_loopback_and_knows_no_anonymous(run, tmp_path):
    run("config", str(tmp_path / "m"))
    lines = (tmp_path / "m" / "mosquitto.conf").read_text().splitlines()
    assert "listener 1883 127.0.0.1" in lines
    assert {"allow_anonymous false", "set_tcp_nodelay true", "persistence false"} <= set(lines)


def test_the_same_store_gives_the_same_files_and_no_secret_in_them(run, tmp_path):
    run("config", str(tmp_path / "m"))
    first = read(tmp_path / "m")
    run("config", str(tmp_path / "m"))
    assert read(tmp_path / "m") == first
    assert "a password of the bridge" not in "".join(first.values())


def test_the_password_file_has_the_bridge_and_the_terminals_that_are_not_revoked(run, tmp_path, directory):
    directory.revoke_terminal("phone-102")
    run("config", str(tmp_path / "m"))
    lines = (tmp_path / "m" / "phoneterm.passwords").read_text().splitlines()
    assert [line.split(":")[0] for line in lines] == ["bridge", "phone-101"]
    assert all(line.split(":")[1].startswith("$7$1000$") for line in lines)


def test_a_terminal_enrolled_before_there_were_hashes_for_mosquitto_is_named(run, tmp_path):
    engine = open_store(tmp_path / "store.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE terminals SET mosquitto_hash = NULL WHERE tid = 'phone-102'")
    engine.dispose()
    code, output = run("config", str(tmp_path / "m"))
    assert code == 0
    assert "they need new secrets: phone-102." in output


def test_the_access_rules_are_the_contracts(run, tmp_path):
    run("config", str(tmp_path / "m"))
    rules = (tmp_path / "m" / "phoneterm.access").read_text().splitlines()
    of_terminals = {rule for rule in rules if rule.startswith("pattern")}
    assert of_terminals == {
        *(
            f"pattern write phoneterm/v1/t/%u/up/{word}"
            for word in ("hello", "state", "command", "ack", "telemetry", "refusal")
        ),
        "pattern read phoneterm/v1/t/%u/down/#",
        "pattern read phoneterm/v1/bridge/state",
    }
    assert [rule for rule in rules if rule.startswith("user")] == ["user bridge"]


def test_with_a_certificate_it_listens_on_the_network_and_without_it_refuses(run, tmp_path):
    code, output = run("config", str(tmp_path / "m"), "--listen", "0.0.0.0")
    assert (code, output.startswith("Terminals would speak to 0.0.0.0 in the clear")) == (1, True)
    assert not (tmp_path / "m").exists()
    tls = ("broker.embedded=false", PASSWORD, "broker.certificate_path=/x/b.pem", "broker.key_path=/x/b.key")
    assert run("config", str(tmp_path / "m"), "--listen", "0.0.0.0", settings=tls)[0] == 0
    lines = (tmp_path / "m" / "mosquitto.conf").read_text().splitlines()
    assert {"listener 1883 0.0.0.0", "certfile /x/b.pem", "keyfile /x/b.key", "tls_version tlsv1.2"} <= set(lines)


def test_with_a_ca_of_clients_everybody_is_asked_for_a_certificate(run, tmp_path):
    names = ("certificate_path", "key_path", "client_ca_path", "client_certificate_path", "client_key_path")
    files = [f"broker.{name}=/x/{name}" for name in names]
    assert run("config", str(tmp_path / "m"), settings=("broker.embedded=false", PASSWORD, *files))[0] == 0
    lines = (tmp_path / "m" / "mosquitto.conf").read_text().splitlines()
    assert {"cafile /x/client_ca_path", "require_certificate true"} <= set(lines)


def test_with_a_psk_port_terminals_get_a_listener_and_a_key_each_and_the_bridge_keeps_loopback(
    run, tmp_path, directory
):
    psk = ("broker.embedded=false", PASSWORD, "broker.psk_port=8884")
    directory.revoke_terminal("phone-102")
    assert run("config", str(tmp_path / "m"), "--listen", "0.0.0.0", settings=psk)[0] == 0
    lines = (tmp_path / "m" / "mosquitto.conf").read_text().splitlines()
    assert [line for line in lines if line.startswith("listener")] == [
        "listener 1883 127.0.0.1",
        "listener 8884 0.0.0.0",
    ]
    assert {"psk_hint phoneterm", f"psk_file {tmp_path / 'm' / 'phoneterm.keys'}"} <= set(lines)
    assert lines.count("use_username_as_clientid true") == 2
    (key,) = (tmp_path / "m" / "phoneterm.keys").read_text().splitlines()
    assert (key.startswith("phone-101:"), len(key)) == (True, len("phone-101:") + 64)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ((PASSWORD,), "a mosquitto is only used when it is false"),
        (("broker.embedded=false",), "The setting broker.password must have at least 16 characters"),
        (("broker.embedded=false", PASSWORD, "broker.username=phone-101"), "A terminal has the name 'phone-101' too"),
        (("broker.embedded=false", PASSWORD, "broker.username=a:b"), "The setting broker.username must be"),
        (("broker.embedded=false", PASSWORD, "broker.username="), "The setting broker.username must be"),
    ],
)
def test_what_would_not_be_safe_is_one_sentence_and_no_file(run, tmp_path, settings, sentence):
    code, output = run("config", str(tmp_path / "m"), settings=settings)
    assert code == 1
    assert sentence in output
    assert output.count("\n") == 1
    assert not (tmp_path / "m").exists()


def test_a_configuration_of_somebody_else_is_not_written_over(run, tmp_path):
    (tmp_path / "mosquitto.conf").write_text("listener 1\n")
    code, output = run("config", str(tmp_path))
    assert (code, "was not written by this command" in output) == (1, True)
    assert (tmp_path / "mosquitto.conf").read_text() == "listener 1\n"


def test_a_folder_that_cannot_be_made_is_one_sentence(run, tmp_path):
    (tmp_path / "file").write_text("")
    code, output = run("config", str(tmp_path / "file" / "m"))
    assert (code, output.count("\n")) == (1, 1)


@pytest.mark.parametrize(
    "text", ["no certificate", "", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n" * 2]
)
def test_what_is_no_certificate_authority_cannot_be_pinned(run, tmp_path, text):
    (tmp_path / "ca.pem").write_text(text)
    code, output = run("ca", str(tmp_path / "ca.der"), settings=(f"broker.ca_path={tmp_path / 'ca.pem'}",))
    assert (code, "is not one CA in PEM form" in output) == (1, True)


def test_without_a_ca_there_is_nothing_to_pin(run, tmp_path):
    code, output = run("ca", str(tmp_path / "ca.der"), settings=())
    assert (code, "there is nothing to pin" in output) == (1, True)
