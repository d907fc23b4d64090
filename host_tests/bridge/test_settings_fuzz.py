"""Any settings give either settings or a sentence for each mistake: never a traceback."""

import contextlib

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from phoneterm_bridge.settings.bridge import BridgeSettings, load_settings
from phoneterm_bridge.settings.problem import SetupProblem

_SECTIONS = sorted(BridgeSettings.model_fields)
_KEYS = sorted({key for name in _SECTIONS for key in BridgeSettings.model_fields[name].annotation.model_fields})
_VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
    | st.sampled_from(["", "0", "true", "\0", "\n", "a\r\nb", "[", "{}", '["x"]', "${HOME}", "$(id)", "../../x", "*"])
)  # fmt: skip
_SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


def to_toml(value):
    """Return a value in TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(to_toml(one) for one in value) + "]"
    escaped = "".join(f"\\u{ord(one):04x}" if one in '"\\' or ord(one) < 32 or one == "\x7f" else one for one in value)
    return f'"{escaped}"'


def load(path=None, overrides=()):
    """Load settings; every mistake must be one line that can be printed, and they are not without end."""
    try:
        return load_settings(path, overrides)
    except SetupProblem as problem:
        lines = str(problem).split("\n")
        assert len(lines) < 35
        for line in lines:
            assert line.isprintable()
            assert len(line) < 500
        return None


@settings(max_examples=200, suppress_health_check=_SLOW)
@given(st.sampled_from(_SECTIONS), st.sampled_from(_KEYS) | st.text(max_size=10), _VALUES.map(str))
@example("store", "path", "\0")
@example("policy", "office_hours", "mo\n08:00-18:00")
@example("pbx", "port", "1" * 5000)
@example("phones", "digit_map", "a" * 5000)
@example("broker", "host", "\n")
@example("http", "host", "\x1f")
@example("http", "host", "a" * 5000)
def test_any_override_is_taken_or_one_sentence(section, key, value):
    load(overrides=(f"{section}.{key}={value}",))


@settings(max_examples=200, suppress_health_check=_SLOW)
@given(
    st.sampled_from(_SECTIONS),
    st.sampled_from(_KEYS),
    _VALUES.filter(lambda value: value is not None) | st.lists(st.text(max_size=10), max_size=3),
)
@example("broker", "base", "a/b")
@example("policy", "allow", ["03a"])
@example("policy", "internal", ["\n"])
def test_any_value_in_the_file_is_taken_or_one_sentence(tmp_path_factory, section, key, value):
    path = tmp_path_factory.mktemp("settings") / "phoneterm.toml"
    path.write_text(f"[{section}]\n{key} = {to_toml(value)}\n", encoding="utf-8", errors="surrogateescape")
    load(path)


@settings(max_examples=200, suppress_health_check=_SLOW)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode(errors="surrogatepass")))
@example(b"[broker]\nport = 1\nport = 2\n")
@example(b"broker = 1")
@example(b"[[broker]]\n")
@example(b"[broker.port]\nx = 1\n")
@example(b"x" * 100_000)
@example(b"[" * 5000)
def test_any_file_is_settings_or_one_sentence(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("settings") / "phoneterm.toml"
    path.write_bytes(content)
    load(path)


@pytest.mark.parametrize("value", ["", " ", "\n", "[", '{"port":', "é", "1" * 5000, "\udcff"])
@pytest.mark.parametrize("name", ["BROKER", "BROKER__PORT", "POLICY__ALLOW", "STORE__PATH", "PHONES__DIGIT_MAP"])
def test_any_environment_is_taken_or_one_sentence(monkeypatch, name, value):
    with contextlib.suppress(ValueError):
        monkeypatch.setenv(f"PHONETERM_{name}", value)
        load()
