"""Reads the terminal's settings from non-volatile storage into one immutable value.

Does not write them (`phoneterm device provision` does) and never prints a value.
Every setting is a blob of UTF-8 text under a key of at most 15 characters in the NVS namespace "phoneterm".
A missing or wrong setting comes back as `Problem(key, sentence)`.
"""

from collections import namedtuple

NAMESPACE = "phoneterm"
DEFAULT_BASE = "phoneterm"

# One text, because that is small on the device; the first five settings are required.
KEYS = (  # noqa: SIM905
    "wifi_ssid mqtt_host mqtt_password mac_key tid wifi_password mqtt_port base tls tls_ca_path tls_cert_path "
    "tls_key_path tls_host tls_psk time_host allow_plain"
).split()

# time_host: a time server, for tls = ca; that of ntptime when empty. tls_cert_path, tls_key_path: the terminal's own
# certificate, or both empty. mqtt_port: int. mac_key, tls_psk: bytes. tls: "off", "ca" or "psk". The others are text.
Settings = namedtuple("Settings", KEYS)
Problem = namedtuple("Problem", "key sentence")


def read(storage, is_tid):
    """Return Settings, or the first Problem; `storage` is an `esp32.NVS`, `is_tid` checks the name of a terminal."""
    texts = {}
    for key in KEYS:
        text = _read_text(storage, key)
        if isinstance(text, Problem):
            return text
        texts[key] = text
    for key in KEYS[:5]:
        if not texts[key]:
            return _problem(key, "is missing: provision this terminal")
    tls = texts["tls"] = texts["tls"] or "off"
    port = texts["mqtt_port"] or ("1883" if tls == "off" else "8883")
    problem = _check(texts, tls, port, is_tid)
    if problem:
        return problem
    texts["mqtt_port"] = int(port)
    texts["base"] = texts["base"] or DEFAULT_BASE
    texts["tls_host"] = texts["tls_host"] or texts["mqtt_host"]
    for key in ("mac_key", "tls_psk"):
        texts[key] = bytes.fromhex(texts[key])
    return Settings(**texts)


def _read_text(storage, key):
    """Return the text under `key`, "" when there is none, or a Problem."""
    buffer = bytearray(128)
    try:
        count = storage.get_blob(key, buffer)
    except OSError as error:
        if "LENGTH" in str(error):
            return _problem(key, "is longer than 128 bytes")
        return ""
    try:
        return bytes(buffer[:count]).decode()
    except ValueError:
        return _problem(key, "is not text")


def _check(texts, tls, port, is_tid):
    """Return the first Problem of settings that are all there, or None."""
    if not is_tid(texts["tid"]):
        return _problem("tid", "must be 1 to 32 of a-z, 0-9 and '-'")
    if not (len(port) <= 5 and _is_made_of("0123456789", port) and 1 <= int(port) <= 65535):
        return _problem("mqtt_port", "must be a number from 1 to 65535")
    if tls not in ("off", "ca", "psk"):
        return _problem("tls", "must be off, ca or psk")
    for key in ("mac_key", "tls_psk"):
        text = texts[key]
        is_key = len(text) >= 32 and len(text) % 2 == 0 and _is_made_of("0123456789abcdef", text)
        if not is_key and (text or tls == "psk"):
            return _problem(key, "must be at least 32 hex digits")
    if tls == "ca" and not texts["tls_ca_path"]:
        return _problem("tls_ca_path", "is missing: with tls = ca it names the CA's file")
    if bool(texts["tls_cert_path"]) != bool(texts["tls_key_path"]):
        return _problem("tls_key_path", "must come with tls_cert_path")
    plain = texts["allow_plain"]
    if plain not in ("", "yes", "no"):
        return _problem("allow_plain", "must be yes or no")
    if tls == "off" and plain != "yes" and not _is_loopback(texts["mqtt_host"]):
        return _problem("tls", "must not be off for a distant broker, unless allow_plain is yes")
    return None


def _problem(key, what):
    return Problem(key, "The setting %s %s." % (key, what))


def _is_made_of(allowed, text):
    """Say whether a text has at least one character, and only allowed ones."""
    return text != "" and all(character in allowed for character in text)


def _is_loopback(host):
    return host in ("localhost", "::1") or (host[:4] == "127." and _is_made_of(".0123456789", host))
