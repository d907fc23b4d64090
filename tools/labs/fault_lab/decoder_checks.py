"""What must be true of every decoder for any input: only documented exceptions, and no growth.

Does not make the inputs: hypothesis, atheris and a plain random generator do. Each check raises AssertionError, or the
exception that the decoder should not have raised.
"""

import gc
import tracemalloc
from collections.abc import Callable

from phoneterm.core import mac, messages
from phoneterm.device.mqtt_decoder import MALFORMED, Decoder
from phoneterm_bridge.broker.connect_packet import ConnectRefused, parse_connect
from phoneterm_bridge.mqtt.decoder import MOST_PACKET_BYTES as MOST_BROKER_PACKET_BYTES
from phoneterm_bridge.mqtt.decoder import Decoder as BrokerDecoder
from phoneterm_bridge.pbx.ami.codec import Decoder as AmiDecoder

from fault_lab.mqtt_stream import MOST_PACKET_BYTES, PacketCutter, StreamBroken

LIMIT_BYTES = 64  # of the device's decoder in these checks: small, so that inputs often hit every boundary
_KEY = b"k" * 32
_BASE, _TID = "phoneterm", "t101"
_MOST_GROWTH_BYTES = 16384


def check_device_decoder(octets: bytes, size: int) -> None:
    """Feed the device's MQTT decoder in pieces of `size`; its memory must not grow beyond the initial buffer."""
    decoder = Decoder(LIMIT_BYTES)
    room_bytes = len(decoder.room())
    at = 0
    while at < len(octets):
        room = decoder.room()
        assert 0 < len(room) <= room_bytes
        count = min(len(room), max(size, 1), len(octets) - at)
        room[:count] = octets[at : at + count]
        decoder.fill(count)
        at += count
        while (packet := decoder.next_packet()) is not None:
            assert len(packet.payload) <= LIMIT_BYTES
            assert len(packet.topic) <= LIMIT_BYTES
            assert 0 <= packet.ident <= 65535
            if packet.kind == MALFORMED:
                decoder.clear()
                assert len(decoder.room()) == room_bytes
                return


def check_messages(octets: bytes) -> None:
    """Decode octets as every kind of message, unsigned and correctly signed."""
    for kind in messages.KINDS:
        topic = messages.topic_of(_BASE, _TID, kind)
        key = _KEY if messages.is_signed(kind) else None
        _check_message(kind, topic, key, octets)
        if key is not None:
            signature = mac.sign(key, topic.encode() + b"\n" + octets)
            _check_message(kind, topic, key, octets + b"\n" + signature.encode())


def _check_message(kind: str, topic: str, key: bytes | None, payload: bytes) -> None:
    fields = messages.decode(kind, topic, key, payload)
    if isinstance(fields, messages.Rejected):
        assert fields.reason in ("too-long", "bad-signature", "malformed", "version")
        assert len(fields.detail) <= 120
        return
    again = messages.encode(kind, topic, key, {name: value for name, value in fields.items() if name != "v"})
    assert messages.decode(kind, topic, key, again) == fields


def check_topics(octets: bytes) -> None:
    """Parse octets as a topic, with and without the contract's base."""
    text = octets.decode(errors="replace")
    for topic in (text, messages.topic_of(_BASE, text, messages.HELLO), messages.topic_of(text, _TID, messages.HELLO)):
        place = messages.parse_topic(_BASE, topic)
        assert place is None or ((place[0] is None or messages.is_tid(place[0])) and place[1] in messages.KINDS)


def check_connect(octets: bytes) -> None:
    """Parse octets as the body of a CONNECT, as the embedded broker's door does."""
    try:
        parse_connect(octets)
    except ConnectRefused:
        return


def check_cutter(octets: bytes) -> None:
    """Cut octets into packets as the fault proxy does; nothing may be lost."""
    cutter = PacketCutter()
    try:
        packets = cutter.feed(octets)
    except StreamBroken:
        return
    whole = b"".join(packet.octets for packet in packets)
    assert octets.startswith(whole)
    assert len(octets) - len(whole) <= MOST_PACKET_BYTES + 5


def check_ami(octets: bytes) -> None:
    """Decode octets as a PBX's output, in one piece and cut in two: the result is the same, only whole messages."""
    whole, cut = AmiDecoder(), AmiDecoder()
    said = whole.feed(octets)
    middle = len(octets) // 2
    pieces = cut.feed(octets[:middle]) + cut.feed(octets[middle:])
    assert [message.pairs for message in said] == [message.pairs for message in pieces]
    assert whole.dropped == cut.dropped
    for message in said:
        assert all("\n" not in key + value for key, value in message.pairs)
        assert message.pairs


def check_broker(octets: bytes, size: int) -> None:
    """Decode octets as a broker's output to the bridge, whole and in pieces of `size`: the result is the same."""
    whole, cut = BrokerDecoder(), BrokerDecoder()
    packets = whole.feed(octets)
    pieces = [packet for at in range(0, len(octets), size) for packet in cut.feed(octets[at : at + size])]
    assert pieces == packets
    assert whole.trouble == cut.trouble
    for _, number, topic, payload, _ in packets:
        assert 0 <= number <= 65535
        assert len(topic.encode()) + len(payload) <= MOST_BROKER_PACKET_BYTES
    if whole.trouble:
        assert len(whole.trouble) < 120
        assert whole.feed(b"\xd0\x00") == []


CHECKS: dict[str, Callable[[bytes], None]] = {
    "device": lambda octets: check_device_decoder(octets[1:], octets[0] if octets else 1),
    "messages": check_messages,
    "topics": check_topics,
    "connect": check_connect,
    "cutter": check_cutter,
    "ami": check_ami,
    "broker": lambda octets: check_broker(octets[1:], max(octets[0], 1) if octets else 1),
}


def check_growth(check: Callable[[bytes], None], inputs: list[bytes]) -> None:
    """Run a check over the same inputs again and again: no memory may be kept."""
    for octets in inputs:
        check(octets)
    tracemalloc.start()
    try:
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(3):
            for octets in inputs:
                check(octets)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < _MOST_GROWTH_BYTES, f"{after - before} bytes were kept"
