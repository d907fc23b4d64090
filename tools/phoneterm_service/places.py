"""Where the service's files are. Does not make any.

The settings, and the store's folder, are those that every command of `phoneterm` finds (phoneterm_bridge/settings).
"""

from pathlib import Path

USER = "phoneterm"
UNIT = "phoneterm-bridge.service"

PROGRAM = Path("/opt/phoneterm")  # each version in a folder of its own
CURRENT = PROGRAM / "current"  # a link to the version in service
COMMAND = Path("/usr/local/bin/phoneterm")
UNIT_FILE = Path("/etc/systemd/system") / UNIT
SETTINGS_FOLDER = Path("/etc/phoneterm")
SETTINGS = SETTINGS_FOLDER / "bridge.toml"
VARIABLES = SETTINGS_FOLDER / "bridge.env"
DATA = Path("/var/lib/phoneterm")
