"""The settings of one terminal, under the names that its firmware reads. Does not write or print them."""

from phoneterm_bridge.broker.address import Address
from phoneterm_bridge.broker.tls_psk import derive_psk
from phoneterm_bridge.settings.broker import BrokerSettings
from phoneterm_bridge.store.records import Enrolment


def device_settings(enrolment: Enrolment, broker: BrokerSettings, address: Address | None = None) -> dict[str, str]:
    """Return the settings that a terminal needs; without an address it finds the broker where that listens."""
    settings = {
        "tid": enrolment.tid,
        "base": broker.base,
        "mqtt_port": str(broker.psk_port or broker.port),
        "mqtt_password": enrolment.mqtt_password,
        "mac_key": enrolment.mac_key.hex(),
    } | (address or Address(broker.host)).settings()
    if broker.psk_port:
        return settings | {"tls": "psk", "tls_psk": derive_psk(enrolment.mac_key)}
    if not broker.is_tls:
        return settings | {"tls": "off"} | ({"allow_plain": "yes"} if broker.allow_plain else {})
    settings |= {"tls": "ca", "tls_ca_path": "ca.der"}  # the file that `phoneterm broker ca` writes
    return settings | ({"tls_cert_path": "cert.der", "tls_key_path": "key.der"} if broker.client_ca_path else {})
