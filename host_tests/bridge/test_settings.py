"""Settings: file, environment and command line, and one sentence for every mistake."""

import tomllib

import pytest
from phoneterm_bridge.cli.example import EXAMPLE
from phoneterm_bridge.settings.bridge import BridgeSettings, load_settings
from phoneterm_bridge.settings.problem import SetupProblem


@pytest.fixture
def write(tmp_path):
    """Write a settings file and return its path."""

    def write_file(text):
        path = tmp_path / "bridge.toml"
        path.write_text(text)
        return path

    return write_file


def test_without_anything_the_defaults_count():
    settings = load_settings()
    assert (settings.broker.port, settings.broker.host, settings.broker.embedded) == (1883, "127.0.0.1", True)


def test_the_command_line_wins_over_the_environment_and_both_over_the_file(write, monkeypatch):
    path = write("[broker]\nport = 1\nusername = 'a'\nbase = 'file'\n")
    monkeypatch.setenv("PHONETERM_BROKER__PORT", "2")
    monkeypatch.setenv("PHONETERM_BROKER__USERNAME", "b")
    broker = load_settings(path, ("broker.port=3",)).broker
    assert (broker.port, broker.username, broker.base) == (3, "b", "file")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "host = '0.0.0.0'",
            r"^The broker 0\.0\.0\.0 would be spoken to in the clear: set broker\.certificate_path and",
        ),
        (
            "embedded = false\nhost = 'broker.lab'",
            r"broker\.lab would be .*: set broker\.ca_path \(TLS\), or",
        ),
        ("host = '0.0.0.0'\nca_path = 'ca.pem'", r"in the clear"),
        ('host = "\\u001f"', r"^The broker \\x1f would be spoken to in the clear"),
        ("embedded = false\nhost = '127.evil'\n", r"in the clear"),
        ("key_path = 'broker.key'", r"^The settings broker\.certificate_path and broker\.key_path only work together"),
        (
            "client_key_path = 'b.key'",
            r"broker\.client_certificate_path and broker\.client_key_path only work together",
        ),
        ("client_ca_path = 'c.pem'", r"^The setting broker\.client_ca_path needs TLS: set broker\.certificate_path"),
        (
            "embedded = false\nclient_ca_path = 'c.pem'\ncertificate_path = 'b.pem'\nkey_path = 'b.key'",
            r"^With broker\.client_ca_path the bridge needs a certificate too: set broker\.client_certificate_path",
        ),
        ("psk_port = 8884", r"^The setting broker\.psk_port is for a mosquitto"),
    ],
)
def test_plain_text_over_a_network_and_half_of_tls_are_refused(write, text, sentence):
    with pytest.raises(SetupProblem, match=sentence):
        load_settings(write(f"[broker]\n{text}\n"))


@pytest.mark.parametrize(
    ("text", "is_tls"),
    [
        ("host = 'localhost'", False),
        ("host = '127.0.0.53'", False),
        ("host = '0.0.0.0'\nallow_plain = true", False),
        ("embedded = false\nhost = 'broker.lab'\nca_path = 'ca.pem'", True),
        ("host = '0.0.0.0'\ncertificate_path = 'broker.pem'\nkey_path = 'broker.key'", True),
    ],
)
def test_a_broker_is_on_this_machine_or_encrypted_or_plain_in_so_many_words(write, text, is_tls):
    assert load_settings(write(f"[broker]\n{text}\n")).broker.is_tls is is_tls


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[broker]\nprot = 1\n", r"no key broker\.prot.*; did you mean port\?$"),
        ("[brokr]\nport = 1\n", r"no key brokr .*; did you mean broker\?$"),
        ("[pbx]\nsecret_word = 'x'\n", r"no key pbx\.secret_word"),
        ("[broker]\nport = 70000\n", r"setting broker\.port is not right"),
        ("[broker]\nport = 'x'\n", r"setting broker\.port is not right"),
        ("broker = 5\n", r"setting broker is not right"),
        ("[pbx]\nkind = 'other'\n", r"setting pbx\.kind is not right"),
        ("[phones]\nerase = '12'\n", r"setting phones\.erase is not right"),
        ("[phones]\nttl_ms = 1\n", r"setting phones\.ttl_ms is not right"),
        ("[broker\n", "is not TOML"),
    ],
)
def test_a_mistake_in_the_file_is_one_sentence_that_names_it(write, text, sentence):
    with pytest.raises(SetupProblem, match=sentence) as caught:
        load_settings(write(text))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(SetupProblem, match="does not exist"):
        load_settings(tmp_path / "no.toml")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("PHONETERM_BROKER__PROT", r"no key broker\.prot.*; did you mean port\?$"),
        ("PHONETERM_BROKR__PORT", r"PHONETERM_BROKR__PORT names no section of the settings; did you mean broker\?$"),
    ],
)
def test_a_misspelt_environment_variable_is_one_sentence(monkeypatch, name, sentence):
    monkeypatch.setenv(name, "1")
    with pytest.raises(SetupProblem, match=sentence):
        load_settings()


@pytest.mark.parametrize("override", ["broker.port", "port=1", ".port=1", "=1", "broker.=1"])
def test_a_malformed_override_is_one_sentence(override):
    with pytest.raises(SetupProblem, match="is not of the form"):
        load_settings(None, (override,))


def test_a_misspelt_override_is_one_sentence():
    with pytest.raises(SetupProblem, match=r"no key store\.pth; did you mean path\?"):
        load_settings(None, ("store.pth=x",))


def test_a_secret_shows_neither_in_the_settings_nor_in_an_error(write):
    settings = load_settings(write("[pbx]\nsecret = 'hush-hush'\n"))
    assert settings.pbx.secret.get_secret_value() == "hush-hush"
    assert "hush-hush" not in repr(settings)
    with pytest.raises(SetupProblem) as caught:
        load_settings(write("[pbx]\nsecret = ['hush-hush']\n"))
    assert "hush-hush" not in str(caught.value)


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        load_settings().broker.port = 5


def test_the_example_file_names_every_key_and_shows_the_defaults(write):
    lines = [line.removeprefix("# ") for line in EXAMPLE.splitlines() if line.startswith(("[", "# "))]
    text = "\n".join(line for line in lines if line.startswith("[") or " = " in line.partition("#")[0])
    shown = tomllib.loads(text)
    for section, field in BridgeSettings.model_fields.items():
        model = field.annotation
        assert set(shown[section]) == set(model.model_fields), section
    loaded = load_settings(write(text))
    files = {name: None for name in type(loaded.broker).model_fields if name.endswith("_path")}
    assert loaded.broker.model_copy(update=files) == load_settings().broker
    assert loaded.pbx == load_settings().pbx
    assert loaded.store == load_settings().store
