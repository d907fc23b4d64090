"""The MQTT client over TLS while the network is slow, half-open or cut, in the handshake or later; on both brokers."""

import pytest
from device.authority import Authority, is_possible
from device.real_brokers import Embedded, make_mosquitto, topic
from fault_lab.faults import DOWN, UP, Fault
from fault_lab.mqtt_stream import StreamBroken
from fault_lab.proxy import FaultProxy
from fault_lab.tls_stream import DATA, HANDSHAKE, RecordCutter
from phoneterm.core import messages
from phoneterm_bridge.broker.tls import make_server_context

NAME = "broker.lab"
UP_TOPIC = topic(messages.TELEMETRY)


@pytest.fixture(params=["mosquitto", "embedded broker"])
async def tls_proxy(request, need_part, tmp_path):
    """A fault proxy in front of a broker with TLS; `options` are what a client needs to trust it."""
    if not is_possible():
        pytest.skip("openssl is not on this machine: install the package openssl.")
    authority = Authority(tmp_path / "authority")
    files = authority.make_server_files(NAME)
    if request.param == "mosquitto":
        broker = make_mosquitto(need_part("mosquitto"), files)
    else:
        broker = Embedded(make_server_context(tmp_path / "authority" / "server.pem", tmp_path / "authority/server.key"))
    await broker.start()
    proxy = FaultProxy(broker.port, make_cutter=RecordCutter)
    await proxy.start()
    proxy.options = {"tls_ca_path": authority.der_path, "tls_host": NAME}
    yield proxy
    await proxy.stop()
    await broker.remove()


PUBLISH = ("publish_once_up", UP_TOPIC)


async def test_a_slow_network_makes_the_handshake_long_and_nothing_else(tls_proxy, tell):
    tls_proxy.arm([Fault("throttle", DOWN, HANDSHAKE, amount=3000)])
    story = await tell(tls_proxy.port, *PUBLISH, connect_ms=8000, **tls_proxy.options)
    assert (await story.end())[-1] == [True, 1]


async def test_a_network_too_slow_for_the_handshake_is_given_up_and_tried_again(tls_proxy, tell):
    tls_proxy.arm([Fault("throttle", UP, HANDSHAKE, amount=20)])
    story = await tell(tls_proxy.port, *PUBLISH, connect_ms=700, **tls_proxy.options)
    assert await story.until_logged("link-lost") == "no answer in 700 ms"
    assert (await story.end())[-1] == [True, 1]


async def test_a_handshake_that_goes_half_open_is_given_up_and_tried_again(tls_proxy, tell):
    tls_proxy.arm([Fault("half-open", DOWN, HANDSHAKE)])
    story = await tell(tls_proxy.port, *PUBLISH, connect_ms=700, **tls_proxy.options)
    assert await story.until_logged("link-lost") == "no answer in 700 ms"
    assert (await story.end())[-1] == [True, 1]


@pytest.mark.parametrize(("way", "record"), [(UP, HANDSHAKE), (DOWN, HANDSHAKE), (DOWN, DATA)])
async def test_a_connection_cut_in_the_middle_of_a_record_is_made_again(tls_proxy, tell, way, record):
    tls_proxy.arm([Fault("cut", way, record, amount=0.5)])
    story = await tell(tls_proxy.port, *PUBLISH, **tls_proxy.options)
    assert (await story.end())[-1] == [True, 1]
    assert [row[3] for row in tls_proxy.log] == ["cut"]


SILENT = ("publish_while_nothing_comes", UP_TOPIC)


async def test_a_half_open_connection_is_noticed_and_another_made(tls_proxy, tell):
    story = await tell(tls_proxy.port, *SILENT, keepalive_s=4, **tls_proxy.options)
    await story.until_said("up")
    tls_proxy.arm([Fault("half-open")])  # strikes at the next ping
    assert await story.until_logged("link-lost") == "nothing heard for 2000 ms"
    assert (await story.end())[1:] == [[False, [True, False]], [True, [True, False, True]]]


HELD = ("publish_with_a_late_answer", UP_TOPIC)


async def test_what_a_slow_network_acknowledges_too_late_is_not_confirmed_and_the_connection_goes_on(tls_proxy, tell):
    tls_proxy.arm([Fault("delay", DOWN, DATA, skip=2, amount=1.0)])  # after the answers to CONNECT and SUBSCRIBE
    story = await tell(tls_proxy.port, *HELD, **tls_proxy.options)
    assert await story.end() == [[False, True], [True, 1]]


@pytest.mark.parametrize("octets", [b"GET / HTTP/1.1", b"\x16\x03\x03\xff\xff"])
def test_what_is_no_tls_breaks_the_stream(octets):
    with pytest.raises(StreamBroken):
        RecordCutter().feed(octets)


def test_records_come_whole_whatever_the_pieces():
    stream = b"\x16\x03\x03\x00\x02ab\x17\x03\x03\x00\x01c"
    cutter = RecordCutter()
    found = [record for at in range(len(stream)) for record in cutter.feed(stream[at : at + 1])]
    assert [(record.name, record.octets[5:]) for record in found] == [(HANDSHAKE, b"ab"), (DATA, b"c")]
