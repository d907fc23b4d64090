"""What the name of an Asterisk channel says: whose it is, and which half of a Local channel. Knows no channel itself.

A phone's is "PJSIP/101-0000002a": its endpoint and a number. Asterisk's own way into the dialplan is a Local channel, a
pair of halves "Local/102@internal-0000002b;1" and "...;2".
"""

import re
from functools import lru_cache

_NAMES_REMEMBERED = 4096  # every event of a channel names it
_CHANNEL = re.compile(r"[^/]+/(.+)-[0-9a-f]{8}(;[12])?")


@lru_cache(_NAMES_REMEMBERED)
def endpoint_of(channel: str) -> str:
    """Return the endpoint of a channel name such as PJSIP/101-0000002a; "" for Local and other inner channels."""
    match = _CHANNEL.fullmatch(channel)
    return match[1] if match and not channel.startswith("Local/") else ""


def is_first_half(channel: str) -> bool:
    """Say whether this is the half of a Local channel that stands for whoever is called through it."""
    return channel.endswith(";1") and not endpoint_of(channel)


def beginning_of_halves(channel: str) -> str:
    """Return what the names of both halves begin with, and no other name, given the first half's."""
    return channel.removesuffix("1")
