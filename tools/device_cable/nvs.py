"""The terminal's settings in the board's non-volatile storage: writes, proves and erases them over the cable.

Does not make or keep them. The values go over the cable in one piece and are set within milliseconds, so a cable that
is pulled leaves the old ones or the new ones; what came to be there is proven by a hash that the board takes. No value
is ever read back, and no sentence of a problem has one.
"""

import ast
import hashlib

from phoneterm.device.settings import KEYS, NAMESPACE

from device_cable import files
from device_cable.cable import Cable
from device_cable.problem import CableProblem, DeviceFault

CA_PATH = "ca.der"
_NEW = ".new"
_LONGEST_BYTES = 128

_WRITE = """
import esp32
storage = esp32.NVS(%r)
for key, value in %r:
    storage.set_blob(key, value)
for key in %r:
    try:
        storage.erase_key(key)
    except OSError:
        pass
storage.commit()
"""
_PROVE = """
import esp32, hashlib, binascii
storage = esp32.NVS(%r)
digest = hashlib.sha256()
buffer = bytearray(%d)
for key in %r:
    try:
        digest.update(key.encode() + b"=" + buffer[:storage.get_blob(key, buffer)] + b"\\n")
    except OSError:
        pass
print(binascii.hexlify(digest.digest()).decode())
"""
_READ_PLAIN = """
import esp32
buffer = bytearray(%d)
try:
    print(repr(bytes(buffer[:esp32.NVS(%r).get_blob(%r, buffer)])))
except OSError:
    print("None")
"""
_REMOVE = """
import os
try:
    os.remove(%r)
except OSError:
    pass
"""


def write_settings(cable: Cable, texts: dict[str, str], ca: bytes | None) -> None:
    """Make these all settings the board has, together with the CA's file."""
    _put_ca(cable, ca)
    _set(cable, texts, [key for key in KEYS if key not in texts])
    if _digest_there(cable, sorted(KEYS)) != _digest_of(texts):
        raise CableProblem("What the board has kept is not what it was sent.")


def change_settings(cable: Cable, texts: dict[str, str]) -> None:
    """Change these settings and leave the others as they are."""
    _set(cable, texts, [])
    if _digest_there(cable, sorted(texts)) != _digest_of(texts):
        raise CableProblem("What the board has kept is not what it was sent.")


def read_tid(cable: Cable) -> str | None:
    """Return the id of the terminal that the board is, which is no secret; None when it is not set up."""
    text = cable.run(_READ_PLAIN % (_LONGEST_BYTES, NAMESPACE, "tid")).strip()
    value = ast.literal_eval(text)
    return None if value is None else value.decode(errors="replace")


def wipe_settings(cable: Cable) -> None:
    """Erase every setting and the CA's file."""
    _set(cable, {}, list(KEYS))
    cable.run(_REMOVE % CA_PATH)
    if _digest_there(cable, sorted(KEYS)) != _digest_of({}):
        raise CableProblem(
            "The board still has settings: run the same command again, or erase it (esptool erase-flash)."
        )


def _put_ca(cable: Cable, ca: bytes | None) -> None:
    if ca is None:
        cable.run(_REMOVE % CA_PATH)
        return
    cable.write_file(CA_PATH + _NEW, ca, lambda _: None)
    if files.hash_files(cable, [CA_PATH + _NEW]) != {CA_PATH + _NEW: hashlib.sha256(ca).hexdigest()}:
        raise CableProblem("The CA did not arrive on the board as it was sent.")
    files.replace_files(cable, [CA_PATH], _NEW, ())


def _set(cable: Cable, texts: dict[str, str], erased: list[str]) -> None:
    values = [(key, text.encode()) for key, text in texts.items()]
    try:
        cable.run(_WRITE % (NAMESPACE, values, erased))
    except DeviceFault:
        raise DeviceFault(
            "The board cannot keep its settings: erase it (esptool erase-flash) and flash it anew."
        ) from None


def _digest_there(cable: Cable, keys: list[str]) -> str:
    return cable.run(_PROVE % (NAMESPACE, _LONGEST_BYTES, keys)).strip()


def _digest_of(texts: dict[str, str]) -> str:
    lines = (f"{key}={text}\n" for key, text in sorted(texts.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
