"""The clocks of this host, moved apart, as by a pause of the host or by whoever sets its clock. Moves no real clock."""

from collections.abc import Callable

from phoneterm.core import messages
from phoneterm_bridge.settings.timing import Timing
from phoneterm_bridge.terminals.host_clock import Reading, read_clocks

from attack_lab.scenery.fake_terminal import FakeTerminal
from attack_lab.scenery.waiting import until

HOUR_S = 3600.0
AT_COMMANDS = Timing(look_every_s=HOUR_S)  # then the bridge looks at its clocks at a command alone, or when told to
# What the clocks of the host show of a pause of `pause_s`: (since boot, wall clock).
SEEN: dict[str, Callable[[float], tuple[float, float]]] = {
    "a suspended host": lambda pause_s: (pause_s, pause_s),
    "a suspended host whose wall clock was not put right": lambda pause_s: (pause_s, 0),
    "a frozen host whose wall clock was put right": lambda pause_s: (0, pause_s),
    "a suspended host whose wall clock was put forward": lambda pause_s: (pause_s, pause_s + HOUR_S),
    "a suspended host whose wall clock was put back": lambda pause_s: (pause_s, pause_s - HOUR_S),
}


class MovedClocks:
    """The host's clocks; `read` is for a HostClock."""

    def __init__(self) -> None:
        self.boot_s = self.wall_s = 0.0

    def read(self) -> Reading:
        """Return what they show now."""
        now = read_clocks()
        return now._replace(boot_s=now.boot_s + self.boot_s, wall_s=now.wall_s + self.wall_s)

    def move(self, boot_s: float, wall_s: float) -> None:
        """Move the clock since boot and the wall clock forward, or back."""
        self.boot_s += boot_s
        self.wall_s += wall_s


async def take_session(terminal: FakeTerminal, count: int, what: str) -> None:
    """Wait until a terminal has been sent its session number `count`, because of `what`, and go on with that."""
    await until(lambda: len(terminal.heard(messages.SESSION)) >= count, otherwise=f"no new session after {what}")
    assert len(terminal.heard(messages.SESSION)) == count, f"more than one new session after {what}"
    terminal.use_new_session()
