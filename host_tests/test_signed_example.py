"""Holds the signed example beside the AsyncAPI document to HMAC itself, and to the code of both ends."""

import hashlib
import hmac
import json
from pathlib import Path

import pytest
from phoneterm.core import messages
from phoneterm_bridge.mqtt import wire_messages
from vm_program import FIRMWARE, run_program

_PATH = FIRMWARE / "signed_example.json"
EXAMPLE = json.loads(_PATH.read_text())
KIND, TOPIC, KEY = EXAMPLE["kind"], EXAMPLE["topic"], bytes.fromhex(EXAMPLE["key_hex"])
PAYLOAD = bytes.fromhex(EXAMPLE["payload_hex"])
FIELDS = json.loads(EXAMPLE["text"])
_PROGRAM = Path(__file__).parent / "vm_modules" / "signed_example.py"


def test_the_signature_is_that_of_the_standard_library():
    digest = hmac.new(KEY, TOPIC.encode() + b"\n" + EXAMPLE["text"].encode(), hashlib.sha256).hexdigest()
    assert digest[:32] == EXAMPLE["signature"]
    assert f"{EXAMPLE['text']}\n{EXAMPLE['signature']}".encode() == PAYLOAD


def test_the_bridge_takes_the_example_and_would_write_the_same_bytes():
    fields = wire_messages.decode(KIND, TOPIC, KEY, PAYLOAD)
    assert {name: value for name, value in fields.items() if value is not None} | {"v": 1} == FIELDS
    assert wire_messages.encode(KIND, TOPIC, KEY, {name: FIELDS[name] for name in FIELDS if name != "v"}) == PAYLOAD


def test_the_firmware_takes_the_example():
    (line,) = run_program(_PROGRAM, _PATH)
    assert {name: value for name, value in json.loads(line).items() if value is not None} | {"v": 1} == FIELDS


@pytest.mark.parametrize("place", [5, 70, -1])
def test_an_example_with_one_bit_changed_is_taken_by_neither(tmp_path, place):
    changed = bytearray(PAYLOAD)
    changed[place] ^= 1
    assert isinstance(wire_messages.decode(KIND, TOPIC, KEY, bytes(changed)), messages.Rejected)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(EXAMPLE | {"payload_hex": changed.hex()}))
    (line,) = run_program(_PROGRAM, path)
    assert json.loads(line) in ("bad-signature", "malformed")
