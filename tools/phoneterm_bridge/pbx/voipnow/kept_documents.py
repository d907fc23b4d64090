"""Keeps the WSDL that was read last, so that a start does not depend on it. Does not judge it.

It is one file of its owner's alone; whatever cannot be read in it counts as nothing kept, and what cannot be written is
read from VoipNow again the next time.
"""

import base64
import contextlib
import json
import os
from pathlib import Path

from phoneterm_bridge.pbx.voipnow.wsdl_documents import WsdlDocuments

_MOST_BYTES = 64 * 1024 * 1024


class KeptDocuments:
    """The documents of one VoipNow in one file. path: None keeps nothing."""

    def __init__(self, path: Path | None, url: str) -> None:
        """Read nothing yet. url: of the VoipNow; documents of another one do not count."""
        self._path = path
        self._url = url

    def read(self) -> WsdlDocuments | None:
        """Return what is kept, None for nothing."""
        if self._path is None:
            return None
        try:
            with self._path.open("rb") as file:
                kept = json.loads(file.read(_MOST_BYTES))
            if kept["url"] != self._url:
                return None
            texts = {str(name): base64.b64decode(text, validate=True) for name, text in kept["texts"].items()}
            return WsdlDocuments(str(kept["version"]), tuple(map(str, kept["entries"])), texts)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None

    def write(self, documents: WsdlDocuments) -> None:
        """Keep these documents; nothing happens where they are kept already, or cannot be."""
        if self._path is None or documents == self.read():
            return
        texts = {name: base64.b64encode(text).decode() for name, text in documents.texts.items()}
        kept = {"url": self._url, "version": documents.version, "entries": documents.entries, "texts": texts}
        new = self._path.with_name(f".{self._path.name}.new")
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(kept, file)
            new.replace(self._path)
