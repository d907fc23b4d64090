"""Decodes one signed message with the firmware's code and prints its fields as JSON, or the reason of its refusal.

Does not know the message. Argument: a file in the form of `firmware/signed_example.json`.
"""

import binascii
import json
import sys

from phoneterm.core import messages

with open(sys.argv[1]) as file:
    example = json.load(file)
key, payload = (binascii.unhexlify(example[name]) for name in ("key_hex", "payload_hex"))
fields = messages.decode(example["kind"], example["topic"], key, payload)
print(json.dumps(fields if isinstance(fields, dict) else fields.reason))
