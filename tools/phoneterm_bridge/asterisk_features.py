"""What an Asterisk can do for a transfer, found out by asking it: its version and its feature codes.

Does not start anything. Needs no more than the AMI classes call and reporting.
"""

import asyncio
import re
from dataclasses import dataclass

from phoneterm_bridge.ami.client import AmiClient

# From this version on Asterisk takes a transfer's number from the variable TRANSFER_EXTEN.
FIRST_VERSION_WITH_TRANSFER_EXTEN = 20
NO_ANSWER_DEFAULT_S = 15.0


@dataclass(frozen=True)
class Features:
    """Codes are as in features.conf, "" when there is none. version: the major one, 0 when it cannot be read."""

    version: int
    atxfer: str
    abort: str
    swap: str
    no_answer_s: float

    @property
    def takes_number_from_variable(self) -> bool:
        """Say whether a transfer can be started without playing the number's digits."""
        return self.version >= FIRST_VERSION_WITH_TRANSFER_EXTEN


async def ask_features(client: AmiClient) -> Features:
    """Ask for everything at once; NotConnected or OutcomeUnknown when the PBX does not answer."""
    settings = await client.ask("CoreSettings")
    names = ("FEATUREMAP(atxfer)", "FEATURE(atxferabort)", "FEATURE(atxferswap)", "FEATURE(atxfernoanswertimeout)")
    atxfer, abort, swap, no_answer = await asyncio.gather(*(ask_variable(client, name) for name in names))
    version = re.search(r"[0-9]+", settings.get("AsteriskVersion"))
    no_answer_s = float(no_answer) if no_answer.isdecimal() else NO_ANSWER_DEFAULT_S
    return Features(int(version[0]) if version else 0, atxfer, abort, swap, no_answer_s)


async def ask_variable(client: AmiClient, name: str, channel: str = "") -> str:
    """Return a variable or function of a channel (or of none), "" when it has no value."""
    headers = [("Variable", name)]
    if channel:
        headers.insert(0, ("Channel", channel))
    return (await client.ask("Getvar", headers)).get("Value")
