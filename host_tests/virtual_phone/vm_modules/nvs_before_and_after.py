"""A firmware that reads, writes and erases settings before and after a reset, and makes the usual mistakes.

Its settings are tid, name and gone; it does not commit the one called lost.
"""

import esp32
import machine

storage = esp32.NVS("phoneterm")
buffer = bytearray(64)


def read(key):
    """Return a setting, or the port's error when it is missing."""
    try:
        return bytes(buffer[: storage.get_blob(key, buffer)]).decode()
    except OSError as error:
        return error.args[1]


print(read("tid"), read("name"), read("kept"), read("lost"), read("gone"))
if machine.reset_cause() == machine.PWRON_RESET:
    storage.set_blob("kept", b"\x00\xff committed"[2:])
    storage.erase_key("gone")
    storage.commit()
    storage.set_blob("lost", b"not committed")
    print(read("lost"))
    machine.reset()
for key, size in (("a key that is too long", 1), ("tid", 3)):
    try:
        storage.get_blob(key, bytearray(size))
    except OSError as error:
        print(error.args[1])
try:
    storage.erase_key("never")
except OSError as error:
    print(error.args[1])
