"""The ESP32's `esp32`: NVS (named values that outlive a reset, which the host keeps for the chip) and ESP-IDF's memory.

That memory is not simulated: PHONETERM_IDF_HEAP has "total,free,largest,least" of each region, separated by ";".
Does not touch a file: the host passes the values in the environment, "NVS.<namespace>.<key>" in hex, and is told
every commit. A value that was not committed is gone after the reset. Missing keys, keys of more than 15 characters and
buffers that are too small raise OSError with the numbers of ESP-IDF.
"""

import binascii
import os

from host_link import link

HEAP_DATA = 4
_IDF_HEAP = "81920,40960,32768,24576"


def idf_heap_info(capabilities):
    """Return (total, free, largest free block, least ever free) of each region, in bytes."""
    regions = os.getenv("PHONETERM_IDF_HEAP", _IDF_HEAP).split(";")
    return [tuple(map(int, region.split(","))) for region in regions]


class NVS:
    """One namespace of the non-volatile storage."""

    def __init__(self, namespace):
        self._namespace = namespace
        self._pending = []

    def get_blob(self, key, buffer):
        """Copy the value into `buffer` and return its length."""
        value = binascii.unhexlify(self._text(key))
        if len(value) > len(buffer):
            raise OSError(-4364, "ESP_ERR_NVS_INVALID_LENGTH")
        buffer[: len(value)] = value
        return len(value)

    def set_blob(self, key, value):
        """Change a value; commit() makes it permanent."""
        text = binascii.hexlify(value).decode()
        os.putenv(self._name(key), text)
        self._pending.append("N%s\t%s\t%s\n" % (self._namespace, key, text))

    def erase_key(self, key):
        """Remove a value; commit() makes that permanent."""
        self._text(key)
        os.unsetenv(self._name(key))
        self._pending.append("E%s\t%s\n" % (self._namespace, key))

    def commit(self):
        """Make the changes permanent."""
        while self._pending:
            link.send(self._pending.pop(0))

    def _text(self, key):
        text = os.getenv(self._name(key))
        if text is None:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        return text

    def _name(self, key):
        if len(key) > 15:
            raise OSError(-4361, "ESP_ERR_NVS_KEY_TOO_LONG")
        return "NVS.%s.%s" % (self._namespace, key)
