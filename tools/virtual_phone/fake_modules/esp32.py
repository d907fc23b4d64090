"""The ESP32's `esp32.NVS`: named values that outlive a reset, kept for the chip by the host.

Does not touch a file: the host passes the values in the environment and hears of every commit.
A value that was not committed is gone after the reset. Missing keys, long keys and small buffers raise OSError with
the numbers of ESP-IDF. Blobs only in the environment: "NVS.<namespace>.<key>", in hex.
"""

import binascii
import os

from host_link import link

_NOT_FOUND = (-4354, "ESP_ERR_NVS_NOT_FOUND")
_KEY_TOO_LONG = (-4361, "ESP_ERR_NVS_KEY_TOO_LONG")
_INVALID_LENGTH = (-4364, "ESP_ERR_NVS_INVALID_LENGTH")
_MOST_KEY_CHARS = 15


class NVS:
    """One namespace of the non-volatile storage."""

    def __init__(self, namespace):
        self._namespace = namespace
        self._pending = []

    def get_blob(self, key, buffer):
        """Copy the value into `buffer` and return its length."""
        text = os.getenv(self._name(key))
        if text is None:
            raise OSError(*_NOT_FOUND)
        value = binascii.unhexlify(text)
        if len(value) > len(buffer):
            raise OSError(*_INVALID_LENGTH)
        buffer[: len(value)] = value
        return len(value)

    def set_blob(self, key, value):
        """Change a value; it stays after commit()."""
        text = binascii.hexlify(value).decode()
        os.putenv(self._name(key), text)
        self._pending.append("N%s\t%s\t%s\n" % (self._namespace, key, text))

    def erase_key(self, key):
        """Remove a value; it stays away after commit()."""
        name = self._name(key)
        if os.getenv(name) is None:
            raise OSError(*_NOT_FOUND)
        os.unsetenv(name)
        self._pending.append("E%s\t%s\n" % (self._namespace, key))

    def commit(self):
        """Make the changes last."""
        for line in self._pending:
            link.send(line)
        self._pending = []

    def _name(self, key):
        if len(key) > _MOST_KEY_CHARS:
            raise OSError(*_KEY_TOO_LONG)
        return "NVS.%s.%s" % (self._namespace, key)
