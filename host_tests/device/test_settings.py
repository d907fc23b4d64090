"""Settings: valid ones become one value, a mistake one sentence that names the key."""

import pytest
from phoneterm.core.messages import is_tid
from phoneterm.device import settings

RIGHT = {
    "wifi_ssid": "Büro", "wifi_password": "secret one", "mqtt_host": "127.0.0.1", "mqtt_password": "secret two",
    "mac_key": "00112233445566778899aabbccddeeff", "tid": "desk-101",
}  # fmt: skip


class Storage:
    """An NVS of texts or bytes; ESP-IDF's own error numbers for missing or too long values."""

    def __init__(self, values):
        self._values = values

    def get_blob(self, key, buffer):
        assert len(key) <= 15
        if key not in self._values:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        value = self._values[key]
        value = value.encode() if isinstance(value, str) else value
        if len(value) > len(buffer):
            raise OSError(-4364, "ESP_ERR_NVS_INVALID_LENGTH")
        buffer[: len(value)] = value
        return len(value)


def read(**changes):
    """Return the result for valid values with some changed; None removes one."""
    values = {key: value for key, value in (RIGHT | changes).items() if value is not None}
    return settings.read(Storage(values), is_tid)


def test_the_least_settings_are_enough_for_a_broker_on_this_machine():
    found = read()
    assert found.mqtt_port == 1883
    assert found.mac_key == bytes.fromhex(RIGHT["mac_key"])
    assert (found.wifi_ssid, found.base, found.tls, found.tls_cert_path) == ("Büro", "phoneterm", "off", "")


def test_tls_changes_the_port_and_takes_the_brokers_name_unless_told_otherwise():
    found = read(mqtt_host="pbx.example", tls="ca", tls_ca_path="ca.der")
    assert (found.mqtt_port, found.tls_host) == (8883, "pbx.example")
    assert read(mqtt_host="10.0.0.1", tls="ca", tls_ca_path="ca.der", tls_host="pbx.example").tls_host == "pbx.example"


def test_plain_text_to_another_machine_needs_to_be_allowed_in_so_many_words():
    for host in ("192.168.1.5", "127.broker.example", "localhost.example", "::2"):
        assert read(mqtt_host=host).key == "tls"
    for host in ("localhost", "127.0.0.1", "127.1.2.3", "::1"):
        assert read(mqtt_host=host).mqtt_host == host
    assert read(mqtt_host="192.168.1.5", allow_plain="yes").mqtt_host == "192.168.1.5"


@pytest.mark.parametrize("key", ["wifi_ssid", "mqtt_host", "mqtt_password", "mac_key", "tid"])
def test_a_missing_setting_is_named(key):
    found = read(**{key: None})
    assert found.key == key
    assert found.sentence == f"The setting {key} is missing: provision this terminal."


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("tid", "Desk 101"), ("mqtt_port", "0"), ("mqtt_port", "65536"), ("mqtt_port", "18x3"), ("mqtt_port", "²"),
        ("mac_key", "0011"), ("mac_key", "zz" * 16), ("mac_key", "0" * 33), ("tls", "yes"), ("tls", "ca"),
        ("allow_plain", "maybe"), ("tls_psk", "zz" * 16), ("wifi_ssid", b"\xff\xfe"), ("wifi_ssid", "x" * 129),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named_in_one_sentence_that_does_not_repeat_it(key, value):
    found = read(**{key: value})
    assert isinstance(found, settings.Problem)
    assert found.key.startswith(key)
    assert key in found.sentence
    assert found.sentence.endswith(".")
    assert "zz" not in found.sentence


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"tls": "ca"}, "tls_ca_path"),
        ({"tls": "ca", "tls_ca_path": "ca.der", "tls_cert_path": "me.der"}, "tls_key_path"),
        ({"tls": "ca", "tls_ca_path": "ca.der", "tls_key_path": "me.key"}, "tls_key_path"),
        ({"tls": "psk"}, "tls_psk"),
        ({"tls": "psk", "tls_psk": "00" * 15}, "tls_psk"),
    ],
)
def test_what_a_kind_of_tls_needs_and_is_not_there_is_named(changes, key):
    assert read(**changes).key == key


def test_a_certificate_of_its_own_and_a_shared_key_are_read():
    found = read(tls="ca", tls_ca_path="ca.der", tls_cert_path="me.der", tls_key_path="me.key")
    assert (found.tls_cert_path, found.tls_key_path) == ("me.der", "me.key")
    assert read(tls="psk", tls_psk="0f" * 32).tls_psk == b"\x0f" * 32
