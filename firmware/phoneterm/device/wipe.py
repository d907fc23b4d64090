"""Erases everything that belongs to one customer: the settings, with their keys and passwords, and the files they name.

Does not restart the device. NVS marks what is erased and overwrites it only later: whoever solders the flash chip off
may still read it, which `esptool erase_flash` alone prevents.
"""

import os

from phoneterm.device.settings import KEYS, NAMESPACE


def erase(storage=None):
    """Erase every setting, and the files whose paths are settings; `storage` is the chip's NVS unless given."""
    if storage is None:
        import esp32

        storage = esp32.NVS(NAMESPACE)
    buffer = bytearray(256)
    for key in KEYS:
        try:
            if key.endswith("_path"):
                os.remove(buffer[: storage.get_blob(key, buffer)].decode())
        except (OSError, ValueError):
            pass  # it was not set, or names no file
        try:
            storage.erase_key(key)
        except OSError:
            pass  # it was not set
    storage.commit()
