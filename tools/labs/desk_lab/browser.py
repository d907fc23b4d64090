"""Opens the page in the browser of whoever sits at this computer, if there is a screen. Does not wait for it.

The address has a secret, and a command line can be read by every user of this computer. So the browser is given a file
that only its user can read, which leads there.
"""

import os
import sys
import threading
import webbrowser
from html import escape
from pathlib import Path

_NAME = "desk.html"


def has_screen() -> bool:
    """Return whether a browser with windows can be opened; one inside the terminal would take it from the prompt."""
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def open_in_browser(address: str, folder: Path) -> None:
    """Open an address by way of a file in a folder of this user's own, if there is a screen."""
    if not has_screen():
        return
    path = folder / _NAME
    path.touch(0o600)
    path.write_text(
        f'<!doctype html><meta charset="utf-8"><title>Virtual phone</title>'
        f'<meta http-equiv="refresh" content="0; url={escape(address)}"><a href="{escape(address)}">The page</a>\n'
    )
    threading.Thread(
        target=webbrowser.open, args=(path.as_uri(),), daemon=True
    ).start()  # some browsers keep it waiting
