"""The terminal's settings in the board's non-volatile storage, and the files they name: writes, verifies, erases them.

Does not make or keep them. The files come first and are replaced together. The values go over the cable in one piece
and are set within milliseconds, so a pulled cable leaves either the old or the new ones. A hash that the board computes
proves the result. No secret is ever read back, and no error message contains one.
"""

import ast
import hashlib

from phoneterm.device.settings import KEYS, NAMESPACE

from device_cable import files
from device_cable.cable import Cable
from device_cable.problem import CableProblem, DeviceFault

CA_PATH, CERTIFICATE_PATH, KEY_PATH = "ca.der", "cert.der", "key.der"
_FILES = (CA_PATH, CERTIFICATE_PATH, KEY_PATH)
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
for path in %r:
    try:
        os.remove(path)
    except OSError:
        pass
"""


def write_settings(cable: Cable, texts: dict[str, str], contents: dict[str, bytes]) -> None:
    """Replace all of the board's settings by these, together with the files they name: path -> content."""
    _put_files(cable, contents)
    _set(cable, texts, [key for key in KEYS if key not in texts])
    if _digest_there(cable, sorted(KEYS)) != _digest_of(texts):
        raise CableProblem("What the board has kept is not what it was sent.")


def change_settings(cable: Cable, texts: dict[str, str]) -> None:
    """Change these settings and leave the others as they are."""
    _set(cable, texts, [])
    if _digest_there(cable, sorted(texts)) != _digest_of(texts):
        raise CableProblem("What the board has kept is not what it was sent.")


def read_tid(cable: Cable) -> str | None:
    """Return the board's terminal id, which is no secret; None when it is not set up."""
    return _read_plain(cable, "tid")


def read_tls(cable: Cable) -> str | None:
    """Return the TLS setting of the terminal on the board: "off", "ca" or "psk"; None when it is not set up."""
    return _read_plain(cable, "tls")


def wipe_settings(cable: Cable) -> None:
    """Erase every setting and the files they name, including half-written ones, as the terminal itself does."""
    named = [_read_plain(cable, key) for key in KEYS if key.endswith("_path")]
    ours = {*_FILES, *(path + _NEW for path in _FILES), *filter(None, named)}
    cable.run(_REMOVE % (sorted(ours),))
    _set(cable, {}, list(KEYS))
    if _digest_there(cable, sorted(KEYS)) != _digest_of({}) or ours & files.list_files(cable).keys():
        raise CableProblem(
            "The board still has settings or their files: run the same command again, or erase it (esptool "
            "erase-flash)."
        )


def _put_files(cable: Cable, contents: dict[str, bytes]) -> None:
    """Copy the files and replace them together; files for another TLS setting are removed."""
    for path, content in contents.items():
        cable.write_file(path + _NEW, content, lambda _: None)
    expected = {path + _NEW: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    if files.hash_files(cable, expected) != expected:
        raise CableProblem(f"Not all of {', '.join(contents)} arrived on the board as they were sent.")
    files.replace_files(cable, contents, _NEW, ())
    cable.run(_REMOVE % ([path for path in _FILES if path not in contents],))


def _read_plain(cable: Cable, key: str) -> str | None:
    """Return a setting that is no secret, None when there is none."""
    value = ast.literal_eval(cable.run(_READ_PLAIN % (_LONGEST_BYTES, NAMESPACE, key)).strip())
    return None if value is None else value.decode(errors="replace")


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
