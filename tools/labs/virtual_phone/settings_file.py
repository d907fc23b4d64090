"""Reads the settings of a terminal, as enrolment writes them, from a TOML or JSON file.

Does not know which settings the firmware needs; the firmware says so itself. A settings file is one flat table of the
names in the NVS namespace "phoneterm" (tid, mqtt_host, mqtt_port, mqtt_password, mac_key, ...) with texts, whole
numbers or booleans. Unreadable files raise SettingsUnusable with one sentence; a value is never part of it.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

MOST_KEY_CHARS = 15


class SettingsUnusable(Exception):
    """Why the settings cannot be used, in one sentence."""


def read_settings_file(path: Path) -> dict[str, str]:
    """Return the settings as texts; the suffix .json means JSON, any other TOML."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        document: Any = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise SettingsUnusable(f"The settings file {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SettingsUnusable(f"The settings file {path} is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise SettingsUnusable(f"The settings file {path}, line {error.lineno}: this is not JSON.") from None
    except (ValueError, RecursionError):
        raise SettingsUnusable(f"The settings file {path} is not TOML.") from None
    if not isinstance(document, dict):
        raise SettingsUnusable(f"The settings file {path} is not a table of settings.")
    return {key: _text(path, key, value) for key, value in document.items()}


def _text(path: Path, key: str, value: Any) -> str:
    if not 1 <= len(key) <= MOST_KEY_CHARS or not key.isascii():
        raise SettingsUnusable(
            f"The settings file {path}: the name {key[:40]!r} must have 1 to {MOST_KEY_CHARS} ASCII characters."
        )
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int):
        return str(value)
    raise SettingsUnusable(
        f"The settings file {path}: the value of {key} must be a text, a whole number or true or false."
    )
