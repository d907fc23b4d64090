"""Safe mode on a virtual phone: its causes, messages and requests, on real brokers with the real umqtt.simple."""

import os
import signal
from pathlib import Path

import pytest
from device.authority import Authority
from device.real_brokers import PASSWORD, TID, BridgeWire, bridge_login, make_mosquitto, topic
from phoneterm.core import messages
from virtual_phone.build import BOARD, Build
from virtual_phone.client import PhoneClient
from virtual_phone.phone import VirtualPhone
from virtual_phone.wired_display import KINDS as DISPLAYS

KEY = bytes(16)
SETTINGS = {
    "wifi_ssid": "lab", "wifi_password": "lab-password", "mqtt_host": "127.0.0.1", "mqtt_password": PASSWORD,
    "mac_key": KEY.hex(), "tid": TID,
}  # fmt: skip
FAILS_TO_START = "\n\ndef make_display():\n    raise OSError(19, 'no display')\n"


@pytest.fixture
async def make_phone(need_stock_modules, tmp_path):
    """Return a coroutine that makes a phone and its client; `board_text` is appended to its board.py."""
    phones = []

    async def make(board_text="", held="", display="", **settings):
        board = tmp_path / f"board{len(phones)}"
        board.mkdir()
        (board / "board.py").write_text((BOARD / "board.py").read_text() + board_text)
        phone = VirtualPhone(SETTINGS | settings, build=Build(board=board, display=display))
        for legend in held:
            phone.set_key(legend, True)
        await phone.start()
        client = await PhoneClient.connect("127.0.0.1", phone.control_port)
        phones.append((phone, client))
        return phone, client

    yield make
    for phone, client in phones:
        await client.close()
        await phone.stop()


def is_logged(line):
    """Return a condition for the log event of a line."""
    return lambda event: event["event"] == "log" and event["line"] == line


async def wait_logged(phone, client, line):
    """Wait until the phone has written a line since it was made."""
    if line not in phone.log_lines:
        await client.wait_for_event(is_logged(line), 30)


async def next_hello(wire, is_safe=True):
    """Wait for the next hello, and return its fields."""
    where = topic(messages.HELLO)

    def is_wanted(row):
        if row[0] != where or row in wire.seen:
            return False
        fields = messages.decode(messages.HELLO, where, KEY, row[1])
        return (fields["safe"] is not None) == is_safe

    row = await wire.until(is_wanted, 30)
    wire.seen.append(row)
    return messages.decode(messages.HELLO, where, KEY, row[1])


@pytest.fixture
async def wire(bridge_wire):
    """The bridge's connection, which remembers which hellos were taken."""
    bridge_wire.seen = []
    return bridge_wire


def request(boot, op, key=KEY, name="r1"):
    """Return the payload of a request."""
    fields = {"id": name, "boot": boot, "op": op}
    return messages.encode(messages.REQUEST, topic(messages.REQUEST), key, fields)


async def test_a_key_held_while_power_comes_leads_to_safe_mode_and_a_reboot_out_of_it(broker, wire, make_phone):
    phone, client = await make_phone(mqtt_port=str(broker.port), held="C")
    hello = await next_hello(wire)
    assert (hello["safe"], hello["crash"], hello["board"], hello["caps"]) == ("cancel key held", None, "VIRTUAL", [])
    state = await client.state()
    assert (state["signal"], state["display"]) == ("safe-mode", ["safe mode", "cancel key held"])
    assert phone.watchdog_ms == 0
    wire.send(topic(messages.REQUEST), request(hello["boot"], "reboot"))
    again = await next_hello(wire, is_safe=False)  # although the key is still held: this was no power-on
    assert (again["crash"], again["safe"]) == (None, None)
    assert phone.state()["boots"] == 2


async def test_a_board_without_a_lamp_is_in_safe_mode_under_its_name(broker, wire, make_phone):
    phone, _ = await make_phone("\nLAMP = None\n", mqtt_port=str(broker.port), held="C")
    assert (await next_hello(wire))["board"] == "VIRTUAL"
    assert not [line for line in phone.log_lines if "no lamp" in line]


@pytest.mark.parametrize("display", DISPLAYS)
async def test_a_display_that_is_drawn_in_steps_shows_safe_mode(make_phone, display):
    phone, client = await make_phone(held="C", display=display)
    await wait_logged(phone, client, "safe mode: cancel key held")
    if (await client.state())["display"] != ["safe mode", "cancel key held"]:
        await client.wait_for_event(lambda event: event.get("lines") == ["safe mode", "cancel key held"])


async def test_another_key_or_one_that_is_pressed_later_changes_nothing(broker, wire, make_phone):
    _, client = await make_phone(mqtt_port=str(broker.port), held="5")
    await next_hello(wire, is_safe=False)
    await client.tap("C")
    assert (await client.state())["boots"] == 1


async def test_a_wipe_takes_everything_away_and_the_terminal_says_that_it_is_not_set_up(
    broker, wire, make_phone, tmp_path
):
    ca_file = tmp_path / "ca.der"
    ca_file.write_bytes(b"certificate")
    phone, client = await make_phone(mqtt_port=str(broker.port), held="C", tls_ca_path=str(ca_file), tls="off")
    hello = await next_hello(wire)
    wire.send(topic(messages.REQUEST), request(hello["boot"], "wipe"))
    await wait_logged(phone, client, "The setting wifi_ssid is missing: provision this terminal.")
    assert phone.nvs.values == {}
    assert not ca_file.exists()


async def test_a_terminal_that_runs_takes_a_wipe_too(broker, wire, make_phone):
    phone, client = await make_phone(mqtt_port=str(broker.port))
    hello = await next_hello(wire, is_safe=False)
    wire.send(topic(messages.REQUEST), request(hello["boot"], "wipe"))
    await wait_logged(phone, client, "The setting wifi_ssid is missing: provision this terminal.")
    assert phone.nvs.values == {}


async def test_a_request_without_the_right_signature_or_for_another_start_changes_nothing(broker, wire, make_phone):
    phone, client = await make_phone(mqtt_port=str(broker.port), held="C")
    hello = await next_hello(wire)
    right = request(hello["boot"], "wipe")
    wrong = [right.partition(b"\n")[0], right[:-1] + b"z", request(hello["boot"], "wipe", b"another key 0000")]
    for payload in (*wrong, request("0badb007", "wipe"), request(hello["boot"], "identify"), b"\xff"):
        wire.send(topic(messages.REQUEST), payload)
    wire.send(topic(messages.REQUEST), request(hello["boot"], "reboot"))  # the last one is taken, after all the others
    await next_hello(wire, is_safe=False)
    lines = [line for line in phone.log_lines if line.startswith("refused")]
    assert lines == ["refused no signature, or a wrong one"] * 3 + ["refused not UTF-8"]
    assert len(phone.nvs.values) == len(SETTINGS) + 1
    assert (await client.state())["boots"] == 2


async def test_three_crashes_in_a_row_lead_to_safe_mode_which_reports_the_last(broker, wire, make_phone):
    phone, _ = await make_phone(FAILS_TO_START, mqtt_port=str(broker.port))
    hello = await next_hello(wire)
    assert (hello["safe"], hello["board"]) == ("3 crashes", "unknown")
    assert hello["crash"].startswith("OSError at board.py:")
    lines = [line for line in phone.log_lines if line.startswith("start-failed")]
    assert lines == ["start-failed " + hello["crash"]] * 3
    wire.send(topic(messages.REQUEST), request(hello["boot"], "reboot"))
    second = await next_hello(wire)  # three more
    assert phone.state()["boots"] == 8
    assert second["boot"] != hello["boot"]


async def test_a_file_named_safe_keeps_the_terminal_in_safe_mode(broker, wire, make_phone):
    phone, client = await make_phone(mqtt_port=str(broker.port))
    hello = await next_hello(wire, is_safe=False)
    (phone.files / "safe").touch()
    wire.send(topic(messages.REQUEST), request(hello["boot"], "reboot"))
    assert (await next_hello(wire))["safe"] == "file safe found"
    (phone.files / "safe").unlink()
    await client.reset()
    await next_hello(wire, is_safe=False)


async def test_ctrl_c_leads_out_of_safe_mode_and_of_the_terminal_to_the_repl(broker, wire, make_phone):
    for held in ("C", ""):
        phone, client = await make_phone(mqtt_port=str(broker.port), held=held)
        await next_hello(wire, is_safe=bool(held))
        os.kill(phone.pid, signal.SIGINT)
        end = await client.wait_for_event(lambda event: event["event"] == "end")
        assert end["exit_code"] == 0
        assert phone.log_lines[-1] == "stopped"
        await phone.power.restart("software")
        assert (await next_hello(wire, is_safe=False))["crash"] is None  # it was no crash


async def test_safe_mode_without_settings_says_so_and_leaves_the_repl(make_phone):
    phone, client = await make_phone(held="C", mac_key="")
    await client.wait_for_event(lambda event: event["event"] == "end")
    assert list(phone.log_lines) == [
        "safe mode: cancel key held",
        "The setting mac_key is missing: provision this terminal.",
    ]


async def test_safe_mode_finds_its_broker_again(broker, wire, make_phone):
    _, client = await make_phone(mqtt_port=str(broker.port), held="C")
    await next_hello(wire)
    await wire.close()
    await broker.stop()
    await client.wait_for_event(lambda event: event.get("line", "").startswith("safe mode: OSError"), 30)
    await broker.start()
    wire = BridgeWire()
    wire.seen = []
    await wire.connect(broker.port, *bridge_login(broker))
    assert (await next_hello(wire))["safe"] == "cancel key held"
    await wire.close()


IMAGES_UMQTT = Path(__file__).parent / "vm_modules" / "umqtt_1_7_0"


@pytest.fixture
async def tls_broker(need_part, tmp_path):
    """A mosquitto with TLS, for the name broker.lab, and the authority that signed it."""
    authority = Authority(tmp_path / "authority")
    broker = make_mosquitto(need_part("mosquitto"), authority.make_server_files("broker.lab"))
    await broker.start()
    yield broker, authority
    await broker.remove()


def use_images_umqtt(phone, stock_modules):
    """Put the umqtt.simple of present images in front of the earlier one."""
    (phone.files / "umqtt_1_3_4").symlink_to(stock_modules / "umqtt")
    (phone.files / "umqtt").symlink_to(IMAGES_UMQTT)


@pytest.mark.parametrize("name", ["broker.lab", "other.lab"])
async def test_safe_mode_checks_the_certificate_for_the_name_in_the_settings(
    tls_broker, need_stock_modules, make_phone, name
):
    broker, authority = tls_broker
    settings = {"mqtt_port": str(broker.port), "tls": "ca", "tls_ca_path": authority.der_path, "tls_host": name}
    phone, client = await make_phone(**settings)
    use_images_umqtt(phone, need_stock_modules)
    await client.power(False)
    await client.hold("C")
    await client.power(True)
    if name == "broker.lab":
        await client.wait_for_event(is_logged("safe mode: connected"), 30)
    else:
        line = "safe mode: ValueError The certificate Common Name (CN) does not match with the expected CN"
        await client.wait_for_event(is_logged(line), 30)
        assert "safe mode: connected" not in phone.log_lines


async def test_an_umqtt_that_cannot_check_certificates_connects_nowhere_with_tls(tls_broker, make_phone):
    broker, authority = tls_broker
    settings = {"mqtt_port": str(broker.port), "tls": "ca", "tls_ca_path": authority.der_path}
    _, client = await make_phone(held="C", **settings)
    await client.wait_for_event(is_logged("safe mode: ImportError no module named 'ussl'"), 30)
