"""Makes a user name of the name that somebody has at a PBX: letters and digits, with a dot for each gap."""

import re
import unicodedata

_MOST_CHARS = 40


def make_user_name(name: str) -> str:
    """Return a user name, "" when nothing of the name is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", ".", plain).strip(".")[:_MOST_CHARS].strip(".").lower()
