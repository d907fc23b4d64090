"""The interface of every PBX lab, with a real Asterisk or the simulator inside.

Does not start anything itself. Endpoints 101, 102 and 103 are phones in context `internal`; numbers that begin with
0 leave through a trunk that answers; 150 rings 102 and 103, 151 is a queue with the same two; 180 is a conference; 190
is a machine that answers, 191 the phone 102 and then its voicemail; *88 picks up what rings at 102; 193 is the phone
103 behind a Local channel; 194 to 196 end by themselves after a second: 194 rings meanwhile, 196 answers; 197 calls 101
and displays the number 102 there; 198 answers and plays the busy tone after a second; 299 does not exist. With the
dialplan "freepbx" the phones are the same, and the other numbers are those of config/freepbx/extensions.conf.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from phoneterm_bridge.pbx.ami.settings import AmiSettings

ENDPOINTS = ("101", "102", "103")
TRUNK = "trunk"
CONTEXT = "internal"
PHONE_CONTEXTS = {"plain": CONTEXT, "freepbx": "from-internal"}  # by LabOptions.dialplan
TRANSFER_CONTEXTS = {"plain": CONTEXT, "freepbx": "from-internal-xfer"}
BEHAVIOURS = ("answer", "ring", "busy", "reject", "unavailable")
WAIT_S = 20.0  # for expected events: costs nothing when they come


@dataclass(frozen=True)
class LabOptions:
    """How the PBX is configured.

    codes: "letters" (one-letter feature codes), "stock" (Asterisk's *1 *2 *4), "freepbx" (its *2 *3 *4 *6) or "none"
    (no transfer feature). dialplan: "plain", or "freepbx" with its contexts and shapes (config/freepbx).
    has_wide_route: an outbound route takes every number, so that nothing is unknown (freepbx).
    allows_transfer: the T and t of Dial. drops_unanswered: atxferdropcall. ring_s: how long Dial rings a phone.
    no_answer_s: how long a consultation may ring. callback_delay_s: pause before the transferrer is rung back again.
    min_dtmf_ms: mindtmfduration, the shortest tone; Asterisk's own default is 80.
    plays_busy: the dialplan plays the busy tone after a failed Dial (as FreePBX does) instead of hanging up.
    ami_read, ami_write: the classes of the bridge's login. tells_files: func_config is loaded, as usual.
    allows_second_login: several connections may log in with one user name, as usual. permits_bridge: the bridge's login
    may come from this machine, as usual. login_lines: more lines for that login's section.
    starts_slowly: AMI takes connections a while before all modules are loaded.
    """

    codes: str = "letters"
    allows_transfer: bool = True
    drops_unanswered: bool = False
    ring_s: int = 20
    no_answer_s: int = 15
    callback_delay_s: int = 10
    min_dtmf_ms: int = 20
    plays_busy: bool = False
    ami_read: str = "call"
    ami_write: str = "call,reporting"
    tells_files: bool = True
    allows_second_login: bool = True
    permits_bridge: bool = True
    login_lines: str = ""
    starts_slowly: bool = False
    dialplan: str = "plain"
    has_wide_route: bool = False


@dataclass(frozen=True)
class Leg:
    """One endpoint's channel, as the PBX itself reports it.

    state: "down", "ring" (calls out), "ringing" (is being called) or "up". bridge: "" when in none.
    is_on_hold: it hears hold music. connected_to: the endpoints it shares a bridge with, joined by ",". family:
    the same for all legs of which one led to the other (Asterisk's Linkedid).
    """

    endpoint: str
    channel: str
    state: str
    bridge: str
    is_on_hold: bool
    connected_to: str
    family: str = ""


def settings_for(ami: AmiSettings) -> tuple[str, ...]:
    """Return the settings of a bridge that logs in to an Asterisk like this."""
    where = (f"pbx.host={ami.host}", f"pbx.port={ami.port}")
    return (*where, f"pbx.username={ami.username}", f"pbx.secret={ami.secret}")


def describe_manager(ami: AmiSettings) -> str:
    """Return where a manager interface is, for people."""
    return f"manager interface at {ami.host}:{ami.port}"


class PbxLab(Protocol):
    """A PBX with three phones and a trunk, for tests and for trying things out."""

    context: str

    @property
    def ami(self) -> AmiSettings:
        """A login at the manager interface; known once started."""

    @property
    def bridge_settings(self) -> tuple[str, ...]:
        """The settings of a bridge for this PBX, as `section.key=value`; known once started."""

    @property
    def where(self) -> str:
        """Where a bridge finds it, for people; known once started."""

    async def start(self) -> None:
        """Bring everything up; all phones answer."""

    async def stop(self) -> None:
        """Take everything down; nothing is left behind."""

    async def place_call(self, caller: str, callee: str) -> None:
        """Call a number from a phone; returns when it is answered, or rings at a phone set to ring."""

    async def hang_up(self, endpoint: str) -> None:
        """Hang up every call at this phone; returns when the PBX has seen it."""

    async def answer(self, endpoint: str) -> None:
        """Pick up the ringing call at this phone; returns when the PBX has seen it."""

    async def hold(self, endpoint: str) -> None:
        """Put this phone's call on hold, once in each call; returns when the other party hears music."""

    async def unhold(self, endpoint: str) -> None:
        """Take this phone's call back from hold."""

    async def restart(self) -> None:
        """Crash and restart the PBX, with the same phones and without any call."""

    async def change_codes(self, codes: Mapping[str, str]) -> None:
        """Set all feature codes (atxfer, atxferabort, atxfercomplete, atxferswap) and reload them; calls go on."""

    async def begin_restart(self) -> None:
        """Have the PBX wait for its last call to restart; returns when it refuses every action of AMI."""

    async def abort_restart(self) -> None:
        """Take that back."""

    async def change_rights(self, write: str) -> None:
        """Set the write classes of the bridge's login; they count from its next login on."""

    async def set_playing(self, is_possible: bool) -> None:
        """Load, or unload, the module with the action PlayDTMF."""

    def tones(self) -> list[tuple[str, str]]:
        """Return (endpoint, digit) of every tone that the PBX sent to a phone since `clear`."""

    async def set_behaviour(self, endpoint: str, behaviour: str) -> None:
        """Set what this phone does with the next call: one of BEHAVIOURS."""

    async def legs(self) -> list[Leg]:
        """Return the phones' channels right now."""

    async def wait_until(self, is_so: Callable[[list[Leg]], bool], within_s: float = WAIT_S) -> list[Leg]:
        """Wait until the legs are as expected and return them; LabFailed shows them if that takes too long."""

    async def variable(self, channel: str, name: str) -> str:
        """Return a variable of a channel, "" when it has none."""

    async def write_database(self, family: str, key: str, value: str) -> None:
        """Write a value into AstDB, where FreePBX keeps what extensions and trunks have of their own."""

    async def clear(self) -> None:
        """End every call and have all phones answer again."""
