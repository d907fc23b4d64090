"""Safe mode on an emulated ESP32 with TLS, with the umqtt.simple that is frozen into MicroPython's own image."""

import pytest
from chip_lab.phone import ChipPhone
from chip_lab.tls import BROKER_NAME, TimeServer, TimeServerFailed, make_options
from device.real_brokers import PASSWORD, TID, make_mosquitto
from virtual_phone.client import PhoneClient

from chip.conftest import BACK_S, is_line

pytestmark = pytest.mark.timeout(300)
_SETTINGS = {"mqtt_host": "127.0.0.1", "mqtt_password": PASSWORD, "mac_key": "00" * 16, "tid": TID}


@pytest.fixture
async def make_phone(need_chip, need_part, tmp_path):
    """Return a function that starts a phone with C held at a broker with TLS, and returns it and its client.

    The phone believes that the broker's name is `name`.
    """
    try:
        clock = await TimeServer.start()
    except TimeServerFailed:
        pytest.skip("only root may have UDP port 123, which a chip asks for the time: run this as root.")
    _, of_terminal, files = make_options(tmp_path)
    options = {"certfile": tmp_path / "broker.pem", "keyfile": tmp_path / "broker.key"}
    broker = make_mosquitto(need_part("mosquitto"), {key: path.read_bytes() for key, path in options.items()})
    await broker.start()
    opened, phones = [], []

    async def make(name):
        settings = _SETTINGS | {"mqtt_port": str(broker.port)} | of_terminal | {"tls_host": name}
        phone = ChipPhone(settings, files=files)
        phone.set_key("C", True)
        await phone.start()
        client = await PhoneClient.connect("127.0.0.1", phone.control_port)
        phones.append(phone)
        opened.extend((client.close, phone.stop))
        return phone, client

    yield make
    for phone in phones:
        print("The terminal's last lines:", *list(phone.log_lines)[-60:], sep="\n")  # shown when the test failed
    for close in opened:
        await close()
    clock.close()
    await broker.remove()


async def test_safe_mode_connects_with_tls_by_the_images_own_umqtt(make_phone):
    _, client = await make_phone(BROKER_NAME)
    await client.wait_for_event(is_line("safe mode: connected"), BACK_S)


async def test_safe_mode_refuses_a_certificate_for_another_name(make_phone):
    phone, client = await make_phone("other.lab")
    line = "safe mode: ValueError The certificate Common Name (CN) does not match with the expected CN"
    await client.wait_for_event(is_line(line), BACK_S)
    assert "safe mode: connected" not in phone.log_lines
