"""Erases everything that belongs to one customer: the settings, with their keys and passwords, and the files they name.

Does not restart the device. NVS marks what is erased and overwrites it only later: whoever solders the flash chip off
may still read it, which `esptool erase_flash` alone prevents.
"""

import os

import esp32

from phoneterm.device.settings import KEYS, NAMESPACE


def erase():
    """Erase every setting, and the files whose paths are settings."""
    storage = esp32.NVS(NAMESPACE)
    buffer = bytearray(256)
    for key in KEYS:
        try:
            count = storage.get_blob(key, buffer)
            storage.erase_key(key)
            if key.endswith("_path"):
                os.remove(buffer[:count].decode())
        except (OSError, ValueError):
            pass  # it was not set, or names no file
    storage.commit()
