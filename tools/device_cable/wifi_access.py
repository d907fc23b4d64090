"""The name and password of the Wi-Fi network for a terminal: from a private file, the environment, or a question.

Does not keep them, and never takes them from the command line, which others on the machine can read. Every character
counts, blanks at the beginning and the end too. The limits are those of the chip's radio, in bytes of UTF-8.
"""

import stat
import string
import tomllib
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from device_cable.problem import CableProblem

SSID_VARIABLE = "PHONETERM_WIFI_SSID"
PASSWORD_VARIABLE = "PHONETERM_WIFI_PASSWORD"  # noqa: S105 - a name, not a password
_KEYS = {"wifi_ssid", "wifi_password"}
_LONGEST_SSID_BYTES = 32
_SHORTEST_PASSWORD_BYTES, _LONGEST_PASSWORD_BYTES = 8, 63
_KEY_DIGITS = 64  # instead of a password: the network's key itself, in hex


class WifiAccess(NamedTuple):
    """A network; an empty password is an open one."""

    ssid: str
    password: str

    def __repr__(self) -> str:
        return f"WifiAccess({self.ssid!r}, ...)"

    def settings(self) -> dict[str, str]:
        """Return it under the names the firmware reads."""
        return {"wifi_ssid": self.ssid, **({"wifi_password": self.password} if self.password else {})}


def find_wifi(file: Path | None, environment: Mapping[str, str]) -> WifiAccess | None:
    """Return the network from the file, else from the environment, else None; CableProblem when either is wrong."""
    if file is not None:
        return _check(_read_private(file))
    if SSID_VARIABLE in environment:
        return _check(WifiAccess(environment[SSID_VARIABLE], environment.get(PASSWORD_VARIABLE, "")))
    return None


def ask_wifi(ask: Callable[[str, bool], str]) -> WifiAccess:
    """Ask somebody for the network; `ask` takes the question and whether the answer is hidden."""
    ssid = ask("Wi-Fi network (SSID)", False)
    return _check(WifiAccess(ssid, ask("Wi-Fi password (empty for an open network)", True)))


def _check(access: WifiAccess) -> WifiAccess:
    if not 1 <= _count_bytes("name of a Wi-Fi network", access.ssid) <= _LONGEST_SSID_BYTES:
        raise CableProblem(f"The name of a Wi-Fi network has 1 to {_LONGEST_SSID_BYTES} bytes.")
    count = _count_bytes("Wi-Fi password", access.password)
    is_key = count == _KEY_DIGITS and set(access.password) <= set(string.hexdigits)
    if access.password and not is_key and not _SHORTEST_PASSWORD_BYTES <= count <= _LONGEST_PASSWORD_BYTES:
        raise CableProblem(
            f"A Wi-Fi password has {_SHORTEST_PASSWORD_BYTES} to {_LONGEST_PASSWORD_BYTES} characters (one with an "
            f"accent counts as two), or is a key of {_KEY_DIGITS} hex digits, or is empty for an open network."
        )
    return access


def _count_bytes(what: str, text: str) -> int:
    """Return the length in bytes; refuse what no radio sends."""
    try:
        count = len(text.encode())
    except UnicodeEncodeError:  # bytes of another encoding, from the environment
        raise CableProblem(f"The {what} is not UTF-8.") from None
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise CableProblem(f"The {what} has a control character in it, such as the end of a line or a tab.")
    return count


def _read_private(file: Path) -> WifiAccess:
    try:
        mode = file.stat().st_mode
        document = tomllib.loads(file.read_text(encoding="utf-8-sig"))  # some editors put a byte order mark first
    except OSError as error:
        raise CableProblem(f"The file {file} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise CableProblem(f"The file {file} is not TOML.") from None
    if stat.S_IMODE(mode) & 0o077:
        raise CableProblem(f"The file {file} can be read by others: chmod 600 {file}.")
    if (
        "wifi_ssid" not in document
        or not set(document) <= _KEYS
        or not all(isinstance(value, str) for value in document.values())
    ):
        raise CableProblem(f"The file {file} must have wifi_ssid and wifi_password, both texts, and nothing else.")
    return WifiAccess(document["wifi_ssid"], document.get("wifi_password", ""))
