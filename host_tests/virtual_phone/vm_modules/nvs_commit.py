"""A firmware that prints its tid, changes it, and resets once; it knows no other setting."""

import esp32
import machine

storage = esp32.NVS("phoneterm")
buffer = bytearray(16)
print("tid", bytes(buffer[: storage.get_blob("tid", buffer)]).decode())
if machine.reset_cause() == machine.PWRON_RESET:
    storage.set_blob("tid", b"desk-102")
    storage.commit()
    machine.reset()
