"""No input makes a decoder (device, bridge or lab) raise an undocumented exception, or keep memory."""

import json
import random

import pytest
from fault_lab import decoder_checks as checks
from hypothesis import given, settings
from hypothesis import strategies as some
from phoneterm.core import messages
from phoneterm.device import mqtt_packets as packets
from phoneterm_bridge.broker.connect_packet import Connect, build_connect, parse_connect

_MESSAGE = packets.publish("t/down/call", b'{"v":1}', 1, True, 7)
_CONNECT = build_connect(Connect("one", "t101", "", 15, "t/up/state", b"gone", 1, True))[2:]
_AMI = (
    b"Event: Newchannel\r\nChannel: PJSIP/101-00000001\r\nUniqueid: 1.1\r\n\r\n",
    b"Response: Success\r\nActionID: 1\r\nEventList: start\r\n\r\n",
    b"Asterisk Call Manager/11.0.0\r\nResponse: Error\r\nMessage: No such channel\r\n\r\n",
)
_TEXTS = (
    b'{"v":1,"boot":"9f3c21aa","session":"7d20c6e1b4","ttl_ms":8000}',
    b'{"v":1,"id":"7d20c6e1b4.12","op":"blind","number":"102","first_ms":45702,"since_ms":48211,"call":"c41"}',
    b'{"v":1,"rev":17,"multi_user_aware":true,"blind":true,"attended":true,"classes":["internal"]}',
    b'{"v":1,"state":"talking","call":"c1"}',
)


def mutated(seeds):
    """Return a strategy of well-formed octets, some of them changed, removed or repeated."""
    change = some.tuples(some.integers(0, 600), some.integers(0, 3), some.binary(max_size=4))

    def mutate(octets, changes):
        for at, length, put in changes:
            at %= len(octets) + 1
            octets = octets[:at] + put + octets[at + length :]
        return octets

    return some.builds(mutate, some.sampled_from(seeds), some.lists(change, max_size=6))


streams = some.one_of(
    some.binary(max_size=400),
    some.lists(mutated([_MESSAGE, packets.puback(9), b"\xd0\x00", b"\x20\x02\x00\x00", b"\x90\x04\x00\x01\x01\x80"]))
    .map(b"".join),
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(streams, some.integers(1, 80))
def test_no_stream_makes_the_devices_decoder_raise_or_grow(octets, size):
    checks.check_device_decoder(octets, size)


@settings(max_examples=500, deadline=None)
@given(streams, some.integers(1, 80))
def test_no_stream_of_a_broker_makes_the_bridges_decoder_raise_or_depend_on_where_it_was_cut(octets, size):
    checks.check_broker(octets, size)


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16383, 16384, 2097151, 2097152, 268435455])
def test_no_remaining_length_makes_the_devices_decoder_grow(length):
    checks.check_device_decoder(b"\x32" + packets.remaining_length(length) + b"\x00\x03abc" + b"x" * 300, 7)


@settings(max_examples=300, deadline=None)
@given(some.one_of(some.binary(max_size=400), some.lists(mutated(_AMI), max_size=4).map(b"".join)))
def test_no_stream_of_a_pbx_makes_the_bridges_decoder_raise_or_depend_on_where_it_was_cut(octets):
    checks.check_ami(octets)


@settings(max_examples=300, deadline=None)
@given(some.one_of(some.binary(max_size=600), mutated(_TEXTS), some.text(max_size=200).map(str.encode)))
def test_no_payload_makes_a_message_raise_and_what_is_taken_can_be_said_again(octets):
    checks.check_messages(octets)


@settings(max_examples=300, deadline=None)
@given(some.one_of(some.binary(max_size=100), mutated([b"phoneterm/v1/t/t101/up/hello"])))
def test_no_topic_makes_the_contract_raise(octets):
    checks.check_topics(octets)


@settings(max_examples=300, deadline=None)
@given(some.one_of(some.binary(max_size=200), mutated([_CONNECT])))
def test_no_connect_makes_the_brokers_door_raise_but_its_refusal(octets):
    checks.check_connect(octets)


@settings(max_examples=300, deadline=None)
@given(streams)
def test_no_stream_makes_the_fault_proxy_lose_a_byte(octets):
    checks.check_cutter(octets)


@pytest.mark.parametrize("name", checks.CHECKS)
def test_nothing_is_kept_of_what_was_decoded(name):
    chance = random.Random(name)
    inputs = [chance.randbytes(chance.randrange(300)) for _ in range(60)]
    inputs += [json.dumps({"v": 1, "state": chance.choice(("talking", "online", 7))}).encode() for _ in range(40)]
    checks.check_growth(checks.CHECKS[name], inputs)


def test_a_check_notices_what_it_is_for():
    kept = []
    with pytest.raises(AssertionError, match="bytes were kept"):
        checks.check_growth(lambda octets: kept.append(octets * 1000), [bytes([n]) * 10 for n in range(50)])
    assert parse_connect(_CONNECT.replace(b"\x04\xae", b"\x04\xee")[:-6] + b"\x00\x04t101\x00\x01p").username == "t101"
    assert messages.MAX_PAYLOAD_BYTES < 700
