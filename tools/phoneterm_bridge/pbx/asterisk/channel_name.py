"""Reads the name of an Asterisk channel: whose it is, and which half of a Local channel. Does not know any channel.

A phone's is "PJSIP/101-0000002a": its endpoint and a number. Asterisk itself enters the dialplan by a Local channel, a
pair of halves "Local/102@internal-0000002b;1" and "...;2".
"""

import re
from functools import lru_cache

_NAMES_REMEMBERED = 4096  # every event of a channel contains its name
_LOCAL = re.compile(r"Local/([^@]+)@")
_CHANNEL = re.compile(r"[^/]+/(.+)-[0-9a-f]{8}(;[12])?")


@lru_cache(_NAMES_REMEMBERED)
def endpoint_of(channel: str) -> str:
    """Return the endpoint of a channel name such as PJSIP/101-0000002a; "" for Local and other internal channels."""
    match = _CHANNEL.fullmatch(channel)
    return match[1] if match and not channel.startswith("Local/") else ""


def dialled_of(channel: str) -> str:
    """Return the number that a Local channel was made to dial, "" for other channels."""
    match = _LOCAL.match(channel)
    return match[1] if match else ""


def is_first_half(channel: str) -> bool:
    """Return whether this is the half of a Local channel that stands for the person called through it."""
    return channel.endswith(";1") and not endpoint_of(channel)


def beginning_of_halves(channel: str) -> str:
    """Return the beginning that the names of both halves share, and no other name, given the first half's."""
    return channel.removesuffix("1")
