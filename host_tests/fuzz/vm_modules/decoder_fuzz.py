"""Fuzzes the device's decoders on MicroPython, whose json accepts garbage: micropython decoder_fuzz.py SEED COUNT.

Does not judge refusals; an exception or a growing heap ends it with a traceback. Prints how much it decoded.
"""

import gc
import random
import sys

from phoneterm.core import mac, messages
from phoneterm.device import mqtt_packets as packets
from phoneterm.device.mqtt_decoder import MALFORMED, Decoder

KEY = b"k" * 32
REASONS = ("too-long", "bad-signature", "malformed", "version")
FIELDS = {
    "boot": "9f3c21aa", "session": "7d20c6e1b4", "ttl_ms": 8000, "rev": 17, "multi_user_aware": True, "blind": True,
    "attended": False, "classes": ["internal"], "digit_map": "internal:1xx", "state": "talking", "call": "c1",
    "reason": "busy", "id": "7d20c6e1b4.1", "op": "identify",
}  # fmt: skip
ODD = ("null", "-1", "1e9", '""', "[]", "{}", '{"a":}', "[1,", '"\\u0000"', "99999999999999999999", "tru", "\\", "")
MOST_GROWTH_BYTES = 2048


def make_text():
    """Return a text like a message: known fields in any order, some with odd values, sometimes cut off."""
    parts = ['"v":1']
    for name in FIELDS:
        if random.getrandbits(2):
            value = FIELDS[name]
            odd = random.choice(ODD) if not random.getrandbits(4) else None
            text = odd or str(value).lower() if isinstance(value, (bool, int)) else odd or repr(value).replace("'", '"')
            parts.append('"' + name + '":' + text)
    text = "{" + ",".join(parts) + "}"
    if not random.getrandbits(3):
        at = random.randrange(len(text))
        text = text[:at] + random.choice(ODD) + text[at + random.randrange(4) :]
    return text


def try_message(kind):
    """Decode one correctly signed text; return whether it was accepted."""
    topic = messages.topic_of("phoneterm", "t101", kind)
    text = make_text()
    if messages.is_signed(kind):
        text += "\n" + mac.sign(KEY, (topic + "\n" + text).encode())
    fields = messages.decode(kind, topic, KEY, text.encode())
    if isinstance(fields, messages.Rejected):
        assert fields.reason in REASONS
        return False
    messages.encode(kind, topic, KEY, {name: fields[name] for name in fields if name != "v"})
    return True


def try_stream(decoder):
    """Decode one stream of packets with errors; return the number of packets."""
    decoder.clear()
    octets = bytearray()
    for _ in range(random.randrange(4)):
        octets += packets.publish("t/down/call", b"x" * random.randrange(200), 1, False, 1 + random.getrandbits(15))
    for _ in range(random.randrange(3)):
        octets[random.randrange(len(octets) or 1) :][:1] = bytes((random.getrandbits(8),))
    for _ in range(random.randrange(3)):
        if octets:
            octets[random.randrange(len(octets))] = random.getrandbits(8)
    at = found = 0
    while at < len(octets):
        room = decoder.room()
        count = min(len(room), 1 + random.randrange(60), len(octets) - at)
        room[:count] = octets[at : at + count]
        decoder.fill(count)
        at += count
        packet = decoder.next_packet()
        while packet:
            found += 1
            if packet.kind == MALFORMED:
                return found
            packet = decoder.next_packet()
    return found


def run(seed, count):
    """Try both decoders this many times."""
    random.seed(seed)
    decoder = Decoder(64)
    kinds = (messages.SESSION, messages.PERMISSIONS, messages.CONFIG, messages.CALL, messages.RESULT, messages.REQUEST)
    taken = found = 0
    before = None
    for turn in range(count):
        taken += try_message(kinds[turn % len(kinds)])
        found += try_stream(decoder)
        if turn == count // 4:
            gc.collect()
            before = gc.mem_alloc()
    gc.collect()
    growth = gc.mem_alloc() - before
    assert growth < MOST_GROWTH_BYTES, "the heap grew by " + str(growth) + " bytes"
    print("ok", taken, found)


run(int(sys.argv[1]), int(sys.argv[2]))
