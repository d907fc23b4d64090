"""The simulated PBX with counters: what it was asked and what it did, and when.

Does not change what it does. It lives outside of the bridge, so it goes on when the bridge is killed. Times are
milliseconds of the monotonic clock.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from pbx_simulator.ami_actions import AmiActions, Answer
from pbx_simulator.ami_server import AmiServer
from pbx_simulator.parties import Pairs
from pbx_simulator.simulator_lab import SimulatorLab
from phoneterm_bridge.pbx.ami.codec import Message
from phoneterm_bridge.pbx.ami.settings import AmiSettings

# Steps, told as they happen: a number was asked for, a transfer is about to be done, a transfer was done.
NUMBER_ASKED, PBX_ASKED, PBX_ACTED = "number-asked", "pbx-asked", "pbx-acted"
_ASKING = ("blindtransfer", "atxfer", "playdtmf")
# The event that shows that a transfer has happened, and the header that names the channel.
_TRANSFERS = {"BlindTransfer": ("blind", "TransfererUniqueid"), "Hold": ("attended", "Uniqueid")}


@dataclass(frozen=True)
class Done:
    """A transfer that the PBX began: "blind" or "attended", of which channel, and when."""

    op: str
    channel: str
    at_ms: float


class CountingLab(SimulatorLab):
    """See PbxLab. `asked`: how often a transfer was asked for since the last `forget`; `done`: the transfers begun."""

    def __init__(self, on_step: Callable[[str], None]) -> None:
        """Call `on_step` with each step of a command that the PBX sees."""
        super().__init__()
        self._on_step = on_step
        self._ami_actions = AmiActions(self.exchange)
        logins = [AmiSettings("127.0.0.1", 0, name, self._secret) for name in ("phoneterm", "lab")]
        self.server = AmiServer(logins, self._act)
        self.done: list[Done] = []
        self.asked = 0

    def forget(self) -> None:
        """Reset the counters."""
        self.done = []
        self.asked = 0

    def channel_of(self, endpoint: str) -> str:
        """Return the unique id of an endpoint's one channel."""
        return self._channels_of(endpoint)[0].uniqueid

    def _act(self, action: Message) -> Answer:
        name = action.get("Action").lower()
        if name == "getvar" and action.get("Variable").startswith("DIALPLAN_EXISTS"):
            self._on_step(NUMBER_ASKED)
        is_asking = name in _ASKING
        if is_asking:
            self.asked += 1
            self._on_step(PBX_ASKED)
        answer = self._ami_actions.act(action)
        if is_asking:
            self._on_step(PBX_ACTED)
        return answer

    def _emit(self, name: str, pairs: Pairs) -> None:
        if name in _TRANSFERS:
            op, field = _TRANSFERS[name]
            self.done.append(Done(op, dict(pairs)[field], time.monotonic() * 1000))
        super()._emit(name, pairs)
