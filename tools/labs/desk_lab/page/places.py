"""Where the page's own files are. Reads none."""

from pathlib import Path

OWN_TEMPLATES = Path(__file__).parent / "templates"
OWN_STATIC = Path(__file__).parent / "static"
