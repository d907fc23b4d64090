"""Erases everything that belongs to one customer: the settings, with their keys and passwords, and the files they name.

Does not restart the device. NVS only marks entries as erased and overwrites them later. Whoever desolders the flash
chip may still read them; only `esptool erase_flash` prevents that.
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
