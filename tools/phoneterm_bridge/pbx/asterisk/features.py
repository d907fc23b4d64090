"""What an Asterisk can do for a transfer, found out by asking it: version, feature codes, actions, length of a tone.

Does not start anything. Needs only the AMI classes call and reporting. If something cannot be read (a module is not
loaded), it counts as not configured; a question that Asterisk refuses is `AmiRefused`. All of it may change while
Asterisk runs, and a channel may have codes of its own: a transfer goes by the `Codes` of its channel at its start.
Times are milliseconds where the name says so, else seconds.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from phoneterm_bridge.pbx.ami import refused
from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.ami.connection import Headers
from phoneterm_bridge.pbx.ami.refused import AmiRefused

# From this version on Asterisk takes a transfer's number from the variable TRANSFER_EXTEN.
FIRST_VERSION_WITH_TRANSFER_EXTEN = 20
NO_ANSWER_DEFAULT_S = 15.0
MIN_DTMF_DEFAULT_MS = 80  # Asterisk's compiled default

# If a key occurs twice in asterisk.conf, the last one counts: index -1.
_NAMES = (
    "FEATUREMAP(atxfer)",
    "AST_CONFIG(asterisk.conf,options,mindtmfduration,-1)",
    "AST_CONFIG(asterisk.conf,directories,astetcdir)",
)
_CODE_NAMES = (
    "FEATURE(atxferabort)", "FEATURE(atxferswap)", "FEATURE(atxfercomplete)", "FEATURE(atxfernoanswertimeout)",
    "FEATURE(atxferdropcall)",
)  # fmt: skip

_NEEDED = ("BlindTransfer", "Atxfer", "Setvar", "Hangup")


class Login(Protocol):
    """A login that can ask Asterisk: the bridge's permanent one, or the doctor's own."""

    async def ask(self, action: str, headers: Headers = ()) -> Message:
        """Send one action and return its answer."""


class Codes(NamedTuple):
    """What Asterisk takes for an attended transfer at its start, and keeps: codes as in features.conf, "" for none.

    rings_back: a user who hung up while it rang in vain is rung again (atxferdropcall = no); False if that is not told.
    """

    abort: str = ""
    swap: str = ""
    complete: str = ""
    no_answer_s: float = NO_ANSWER_DEFAULT_S
    rings_back: bool = False


@dataclass(frozen=True)
class Features:
    """Codes are as in features.conf, "" when there is none. version: the major one, 0 when it cannot be read.

    min_dtmf_ms: the shortest tone (mindtmfduration), None when the PBX does not show it (func_config is not loaded).
    can_play: PlayDTMF exists, and the login may use it. lacks: what every Asterisk has and the login may not use.
    """

    version: int = 0
    atxfer: str = ""
    abort: str = ""
    swap: str = ""
    complete: str = ""
    no_answer_s: float = NO_ANSWER_DEFAULT_S
    rings_back: bool = False
    min_dtmf_ms: int | None = None
    can_play: bool = False
    lacks: tuple[str, ...] = ()

    @property
    def codes(self) -> Codes:
        """The codes of a transfer on a channel that has none of its own."""
        return Codes(self.abort, self.swap, self.complete, self.no_answer_s, self.rings_back)

    @property
    def takes_number_from_variable(self) -> bool:
        """Say whether a transfer can be started without playing the number's digits."""
        return self.can_play and self.version >= FIRST_VERSION_WITH_TRANSFER_EXTEN

    @property
    def tells_who_may_transfer(self) -> bool:
        """Say whether a channel can be asked if its Dial had T or t."""
        return self.version >= FIRST_VERSION_WITH_TRANSFER_EXTEN


async def ask_features(client: Login) -> Features:
    """Ask for everything; NotConnected or OutcomeUnknown when the PBX does not answer."""
    settings, actions, codes = await asyncio.gather(
        client.ask("CoreSettings"), client.ask("ListCommands"), ask_codes(client)
    )
    if refused.kind_of(settings) is not None:
        raise AmiRefused("CoreSettings", settings)
    atxfer, min_dtmf, folder = await asyncio.gather(*(ask_variable(client, name) for name in _NAMES))
    version = re.search(r"[0-9]+", settings.get("AsteriskVersion"))
    return Features(
        version=int(version[0]) if version else 0,
        atxfer=atxfer,
        abort=codes.abort,
        swap=codes.swap,
        complete=codes.complete,
        no_answer_s=codes.no_answer_s,
        rings_back=codes.rings_back,
        min_dtmf_ms=_least_ms(min_dtmf, is_told=folder != ""),
        can_play=actions.has("PlayDTMF"),
        lacks=tuple(name for name in _NEEDED if not actions.has(name)) if actions.has("Ping") else (),
    )


async def ask_codes(client: Login, channel: str = "") -> Codes:
    """Return the codes that a transfer of this channel would have if it began now."""
    abort, swap, complete, no_answer, drops = await asyncio.gather(
        *(ask_variable(client, name, channel) for name in _CODE_NAMES)
    )
    no_answer_s = float(no_answer) if no_answer.isdecimal() else NO_ANSWER_DEFAULT_S
    return Codes(abort, swap, complete, no_answer_s, rings_back=drops == "0")


async def ask_can_play(client: Login) -> bool:
    """Say whether PlayDTMF exists, and the login may use it."""
    return (await client.ask("ListCommands")).has("PlayDTMF")


async def ask_start_code(client: Login, channel: str) -> str:
    """Return the code that starts an attended transfer of a channel that comes into a bridge now, "" for none."""
    return await ask_variable(client, _NAMES[0], channel)


def _least_ms(text: str, is_told: bool) -> int | None:
    if text.isdecimal():
        return int(text)
    return MIN_DTMF_DEFAULT_MS if is_told else None


async def ask_variable(client: Login, name: str, channel: str = "") -> str:
    """Return a variable or function of a channel (or of none), "" when it has no value; AmiRefused for an error."""
    headers = [("Variable", name)]
    if channel:
        headers.insert(0, ("Channel", channel))
    answer = await client.ask("Getvar", headers)
    if refused.kind_of(answer) is not None:
        raise AmiRefused("Getvar", answer)
    return answer.get("Value")
