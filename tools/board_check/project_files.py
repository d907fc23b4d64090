"""Finds the sources that a board gets: the folders `boards` and `firmware`, in a checkout or as a wheel installs them.

Does not read them. A wheel puts them into `share/phoneterm` of the environment that it is installed in.
"""

import sysconfig
from pathlib import Path


def find_project(checkout: Path, data: Path) -> Path:
    """Return the folder with `boards` and `firmware`: the checkout if it has both, otherwise the one with a wheel's."""
    if (checkout / "firmware" / "main.py").is_file() and (checkout / "boards").is_dir():
        return checkout
    return data / "share" / "phoneterm"


PROJECT = find_project(Path(__file__).parents[2], Path(sysconfig.get_path("data")))
BOARDS = PROJECT / "boards"
FIRMWARE = PROJECT / "firmware"
