"""Writes the settings of a running installation to a file, so that other commands find the same bridge, store and PBX.

Does not read any. The file has the secret of the PBX's login, and only its owner may read it.
"""

import json
from collections.abc import Iterable
from pathlib import Path

NAME = "bridge.toml"


def write_settings(folder: Path, settings: Iterable[str]) -> Path:
    """Write settings, each as `section.key=value`, and return the file."""
    sections: dict[str, list[str]] = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        section, _, key = name.partition(".")
        sections.setdefault(section, []).append(f"{key} = {json.dumps(value)}")
    path = folder / NAME
    path.touch(mode=0o600)
    path.write_text("".join("\n".join((f"[{name}]", *lines, "", "")) for name, lines in sections.items()))
    return path
