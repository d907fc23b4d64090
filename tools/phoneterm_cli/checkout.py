"""Where the checkout's folders are. Does not look anything up at import."""

from pathlib import Path


def folder(name: str = "") -> Path:
    """Return a folder of the checkout that this package was installed from, such as folder("firmware")."""
    return Path(__file__).resolve().parents[2] / name
