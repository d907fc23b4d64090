"""Settings files: texts from TOML or JSON, and for a mistake one sentence that contains no value."""

import pytest
from virtual_phone.settings_file import SettingsUnusable, read_settings_file


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("settings.toml", 'tid = "desk-101"\nmqtt_port = 1883\nallow_plain = true\n'),
        ("settings.json", '{"tid": "desk-101", "mqtt_port": 1883, "allow_plain": true}'),
    ],
)
def test_values_become_texts(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_settings_file(tmp_path / name) == {"tid": "desk-101", "mqtt_port": "1883", "allow_plain": "yes"}


def test_a_byte_order_mark_is_passed_over(tmp_path):
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"tid": "desk-101"}')
    assert read_settings_file(tmp_path / "a.json") == {"tid": "desk-101"}


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.toml", b"tid = secret", "is not TOML"),
        ("a.json", b'{"mac_key": "secret"', "line 1: this is not JSON"),
        ("a.json", b"[1]", "is not a table of settings"),
        ("a.toml", b"\xff\xfe", "is not UTF-8"),
        ("a.toml", b'a_name_of_16_char = "secret"', "must have 1 to 15 ASCII characters"),
        ("a.toml", b'mac_key = ["secret"]', "the value of mac_key must be"),
    ],
)
def test_what_is_not_right_is_one_sentence(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SettingsUnusable) as raised:
        read_settings_file(tmp_path / name)
    assert sentence in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsUnusable, match=r"none.toml cannot be read: No such file"):
        read_settings_file(tmp_path / "none.toml")
