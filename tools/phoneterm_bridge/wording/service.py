"""How somebody tells the bridge of this machine to read its files again, or to start anew: by systemd, or without it.

Does not run anything. The service counts where its unit is installed and systemd runs; a checkout, a container or a Mac
has neither.
"""

from pathlib import Path

_UNIT_FILE = Path("etc/systemd/system/phoneterm-bridge.service")
_RUNS_HERE = Path("run/systemd/system")  # systemd makes it at its start
_ROOT = Path("/")


def how_to_reload(root: Path = _ROOT) -> str:
    """Return what makes the running bridge take over a renewed certificate."""
    if _is_service(root):
        return "systemctl reload phoneterm-bridge"
    return "kill -HUP PID, with the process id of `phoneterm bridge run`"


def how_to_restart(root: Path = _ROOT) -> str:
    """Return what makes the bridge take over changed settings."""
    if _is_service(root):
        return "systemctl restart phoneterm-bridge"
    return "end `phoneterm bridge run` (Ctrl-C) if it runs, and start it"


def _is_service(root: Path) -> bool:
    return (root / _RUNS_HERE).is_dir() and (root / _UNIT_FILE).exists()
