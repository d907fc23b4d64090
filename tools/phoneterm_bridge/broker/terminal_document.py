"""The file with which a terminal goes from the server to its board: everything that the board needs, in one JSON text.

Does not write or read files. It is a table of the settings under the firmware's names, and of `version`, `extension`
and, where the terminal pins a CA, `ca` (DER in base64). It has the terminal's secrets, so it is for private files.
"""

import base64
import json
from typing import Any, NamedTuple

VERSION = 1
CA = "ca"
_OURS = ("version", "extension", CA)


class TerminalDocument(NamedTuple):
    """A terminal for a board: its extension, its settings, and the CA that it pins, if any."""

    extension: str
    texts: dict[str, str]
    ca: bytes | None

    def __repr__(self) -> str:
        return f"TerminalDocument({self.extension!r}, ...)"

    def encode(self) -> str:
        """Return it as text."""
        document = {"version": VERSION, "extension": self.extension, **self.texts}
        return json.dumps(document | ({CA: base64.b64encode(self.ca).decode()} if self.ca else {}), indent=2)


def decode(text: str) -> TerminalDocument:
    """Return the terminal of a file's text; ValueError says in a few words what is wrong with it."""
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    if not isinstance(document, dict) or "tid" not in document:
        raise ValueError("it has no terminal in it")
    if document.get("version") != VERSION:
        raise ValueError(f"its version is {str(document.get('version'))[:20]!r}, and this program reads {VERSION}")
    texts = {name: value for name, value in document.items() if name not in _OURS}
    if not all(isinstance(value, str) for value in (*texts.values(), document.get("extension"))):
        raise ValueError("its settings are not all texts")
    if not all(value.isprintable() for value in texts.values()):
        raise ValueError("its settings have characters that cannot be printed")
    try:
        ca = base64.b64decode(document[CA], validate=True) if CA in document else None
    except (ValueError, TypeError):
        raise ValueError("the CA in it is damaged") from None
    return TerminalDocument(document["extension"], texts, ca)
