"""Settings: file, environment and command line, and one sentence for every mistake."""

import re
import tomllib
from pathlib import Path

import pytest
from phoneterm_bridge.cli.example import make_example
from phoneterm_bridge.settings import variables
from phoneterm_bridge.settings.bridge import BridgeSettings, load, load_settings
from phoneterm_bridge.settings.place import STORE_BESIDE
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
        ("[voipnow]\nurl = 'http://pbx'\n", r"setting voipnow\.url is not right: it is https:// and a host, such as"),
        ("[voipnow]\nurl = 'https://a:b@pbx'\n", r"setting voipnow\.url is not right"),
        ("[voipnow]\nurl = 'https://pbx/uapi'\n", r"setting voipnow\.url is not right"),
        ("[voipnow]\nurl = 'https://pbx:port'\n", r"setting voipnow\.url is not right"),
        ("[voipnow]\nurl = 'https://p bx'\n", r"setting voipnow\.url is not right"),
        ("[voipnow]\norganization = '0003*'\n", r"setting voipnow\.organization is not right"),
        ("[voipnow]\nuser = '@me/1'\n", r"setting voipnow\.user is not right"),
        ("[voipnow]\npoll_ms = 50\n", r"setting voipnow\.poll_ms is not right"),
        ("[voipnow]\nca_path = ''\n", r"setting voipnow\.ca_path is not right"),
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


def test_a_file_in_another_encoding_is_one_sentence_with_line_and_remedy(tmp_path):
    path = tmp_path / "bridge.toml"
    path.write_bytes(b"[pbx]\n# f\xfcr alle\n")
    with pytest.raises(SetupProblem, match=r"line 2: this is not UTF-8; save the file as UTF-8\.$"):
        load_settings(path)


def test_what_a_voipnow_needs_and_has_not_is_named_with_all_other_mistakes(write):
    text = "[pbx]\nkind = 'voipnow'\n[voipnow]\nurl = 'https://pbx:1443/'\nclient_id = 'app'\npoll_ms = 5\n"
    with pytest.raises(SetupProblem) as caught:
        load_settings(write(text))
    needed = 'With pbx.kind = "voipnow" the bridge needs the setting voipnow.'
    mistakes = [line.partition(" (in ")[0] for line in str(caught.value).split("\n")]
    assert mistakes[1:] == [f"{needed}client_secret.", f"{needed}organization."]
    assert mistakes[0].startswith("The setting voipnow.poll_ms is not right")
    assert load_settings(write(text.replace("pbx]\nkind = 'voipnow'", "pbx]").replace("= 5", "= 500"))).voipnow.url == (
        "https://pbx:1443"
    )


def test_events_need_the_pages():
    with pytest.raises(SetupProblem, match=r"^The setting voipnow\.events_url leads to the bridge's pages: set http\."):
        load_settings(None, ("voipnow.events_url=https://bridge.example",))


@pytest.mark.parametrize(
    "url", ["bridge.example", "ftp://x", "https://a b", "https://x/?key=1", "https://x/#y", "https://"]
)
def test_an_address_for_events_that_cannot_be_one_is_one_sentence(url):
    with pytest.raises(SetupProblem, match=r"setting voipnow\.events_url is not right"):
        load_settings(None, (f"voipnow.events_url={url}", "http.enabled=true"))


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
    lines = [
        line.removeprefix("# ") for line in make_example(STORE_BESIDE).splitlines() if line.startswith(("[", "# "))
    ]
    text = "\n".join(line for line in lines if line.startswith("[") or " = " in line.partition("#")[0])
    shown = tomllib.loads(text)
    for section, field in BridgeSettings.model_fields.items():
        model = field.annotation
        assert set(shown[section]) == set(model.model_fields), section
    loaded = load_settings(write(text))
    files = {name: None for name in type(loaded.broker).model_fields if name.endswith("_path")}
    assert loaded.broker.model_copy(update=files) == load_settings().broker
    assert loaded.pbx == load_settings().pbx
    assert loaded.voipnow.model_copy(update={"ca_path": None}) == load_settings().voipnow
    assert loaded.store.path == write("").parent / load_settings().store.path


def test_all_mistakes_of_file_variables_environment_and_command_line_are_named_at_once(write):
    path = write("[broker]\nprot = 1\nport = 70000\nhost = '0.0.0.0'\n[brokr]\nx = 1\n[log]\nlevel = 'loud'\n")
    beside = path.with_suffix(".env")
    beside.write_text("PHONETERM_PBX__SECRT=x\n")
    with pytest.raises(SetupProblem) as caught:
        load(path, ("http.port=x", "nothing"), {"PHONETERM_PBX_PORT": "1", "PHONETERM_BROKER__PSK_PORT": "8884"})
    assert str(caught.value).splitlines() == [
        f"The settings have no key broker.prot (in {path}); did you mean port?",
        f"The settings have no key brokr (in {path}); did you mean broker?",
        f"The settings have no key pbx.secrt (PHONETERM_PBX__SECRT in {beside}); did you mean secret?",
        "The environment variable PHONETERM_PBX_PORT names no setting; did you mean PHONETERM_PBX__PORT?",
        "The override 'nothing' is not of the form section.key=value.",
        f"The setting broker.port is not right: input should be less than or equal to 65535 (in {path}).",
        "The setting http.port is not right: input should be a valid integer, unable to parse string as an integer.",
        f"The setting log.level is not right: input should be 'debug', 'info', 'warning' or 'error' (in {path}).",
        "The broker 0.0.0.0 would be spoken to in the clear: set broker.certificate_path and broker.key_path (TLS), or "
        "broker.allow_plain = true.",
        "The setting broker.psk_port is for a mosquitto (broker.embedded = false): the embedded broker has no TLS-PSK.",
    ]


def test_what_follows_from_a_wrong_value_is_no_mistake_of_its_own(write):
    with pytest.raises(SetupProblem) as caught:
        load(write("[broker]\nkey_path = 'broker.key'\ncertificate_path = 5\nhost = '0.0.0.0'\n"), (), {})
    assert len(str(caught.value).splitlines()) == 1


def test_paths_of_the_file_are_relative_to_the_file_and_others_to_the_working_folder(write, tmp_path):
    path = write("[broker]\nca_path = 'ca.pem'\nkey_path = '/etc/key.pem'\n[store]\npath = 'data/bridge.db'\n")
    path.with_suffix(".env").write_text("PHONETERM_BROKER__CLIENT_CA_PATH=clients.pem")
    environment = {"PHONETERM_BROKER__CERTIFICATE_PATH": "broker.pem"}
    settings = load(path, (), environment).settings
    assert (settings.broker.ca_path, settings.broker.key_path) == (tmp_path / "ca.pem", Path("/etc/key.pem"))
    assert settings.broker.client_ca_path == tmp_path / "clients.pem"
    assert settings.broker.certificate_path == Path("broker.pem")
    assert settings.store.path == tmp_path / "data/bridge.db"
    assert load(path, ("store.path=x.db",), environment).settings.store.path == Path("x.db")
    path.with_suffix(".env").unlink()
    assert load(write(""), (), {}).settings.store.path == tmp_path / "state/phoneterm.db"
    assert load(None, (), {}).settings.store.path == Path("state/phoneterm.db")


@pytest.mark.parametrize("path", ["", "/", "a\\u0000b"])
@pytest.mark.parametrize("name", ["store.path", "broker.ca_path", "broker.client_key_path"])
def test_a_path_that_no_file_can_have_is_one_sentence(write, name, path):
    section, _, key = name.partition(".")
    file = write(f'[{section}]\n{key} = "{path}"\n')
    with pytest.raises(SetupProblem, match=f"^The setting {name} is not right: it names no file \\(in .*\\)\\.$"):
        load_settings(file)


@pytest.mark.parametrize("path", ["state/a\\nb.db", "state/a\\u001bb.db"])
def test_a_path_with_a_line_end_or_a_control_character_is_one_sentence(write, path):
    with pytest.raises(SetupProblem, match=r"^The setting store\.path is not right: it has a line's end or another"):
        load_settings(write(f'[store]\npath = "{path}"\n'))


def test_a_byte_order_mark_is_read_in_the_settings_and_named_in_the_variables(write):
    path = write("\ufeff[pbx]\nusername = 'anna'\n")
    assert load_settings(path).pbx.username == "anna"
    path.with_suffix(".env").write_text("\ufeffPHONETERM_PBX__SECRET=x\n", encoding="utf-8")
    with pytest.raises(SetupProblem, match=r"bridge\.env begins with a byte order mark, with which systemd"):
        load_settings(path)


def test_a_variable_that_is_exported_as_in_a_shell_is_named(write):
    path = write("")
    path.with_suffix(".env").write_text("A=1\nexport PHONETERM_PBX__SECRET=x\n")
    with pytest.raises(SetupProblem, match=r"^Line 2 of .*\.env begins with export, which systemd does not read"):
        load_settings(path)


def test_the_variables_beside_a_file_count_before_it_and_after_the_environment(write):
    path = write("[pbx]\nsecret = 'file'\nusername = 'file'\n[broker]\nusername = 'file'\n")
    path.with_suffix(".env").write_text("PHONETERM_PBX__SECRET=beside\nPHONETERM_PBX__USERNAME=beside\nPATH=/bin\n")
    settings, sources = load(path, (), {"PHONETERM_PBX__USERNAME": "environment"})
    assert (settings.pbx.secret.get_secret_value(), settings.pbx.username) == ("beside", "environment")
    assert sources["pbx.secret"] == str(path.with_suffix(".env"))
    assert (sources["pbx.username"], sources["broker.username"]) == ("PHONETERM_PBX__USERNAME", str(path))
    assert "pbx.host" not in sources


def test_a_list_from_the_environment_or_the_command_line_is_json_or_words_with_commas():
    policy = load(None, ("policy.allow=030, 0171", 'policy.deny=["0309"]'), {"PHONETERM_POLICY__FEATURES": ""})[
        0
    ].policy
    assert (policy.allow, policy.deny, policy.features) == (("030", "0171"), ("0309",), ())


def test_every_variable_of_the_project_that_is_no_setting_is_known_as_somebody_elses():
    root = Path(__file__).parents[2]
    files = [root / "Makefile", *(path for top in ("tools", "host_tests") for path in (root / top).rglob("*.py"))]
    own = {Path(variables.__file__), Path(__file__)}
    named = {name for path in files if path not in own for name in _VARIABLE.findall(path.read_text())}
    assert named - _NO_VARIABLES == variables.OTHERS - {variables.CONFIG}


_VARIABLE = re.compile(r"\bPHONETERM_[A-Z]+(?:_[A-Z]+)*\b(?!_)")
_NO_VARIABLES = {"PHONETERM_CONFIG", "PHONETERM_TRIED"}  # the second is one of Asterisk's, in a test
