"""The bridge's host stands still: suspended, frozen, put right or not. Moves no real clock."""

from typing import Any

from phoneterm.core import messages
from phoneterm_bridge.settings.timing import Timing
from phoneterm_bridge.terminals.host_clock import HostClock

from attack_lab.probe import Probe
from attack_lab.scenery.crowd import Crowd
from attack_lab.scenery.fake_terminal import FakeTerminal
from attack_lab.scenery.moved_clocks import SEEN, MovedClocks
from attack_lab.scenery.waiting import until
from attack_lab.site import Site

_QUICK = Timing(look_every_s=0.05)
_PAUSES_S = (5.0, 20.0, 600.0)
_TTL_MS = 4000  # shorter than the shortest pause
_NOT_SHOWN = "a frozen host where no clock shows it"


class HostPause(Probe):
    """See `sentence`."""

    name = "host standing still"
    sentence = "for 5 s, 20 s and 10 min, seen by some of its clocks or by none: a command from before, one after it"

    async def run(self, site: Site) -> str | None:
        """Let each pause pass, with a command keyed before it and one keyed after it."""
        names = [*SEEN, _NOT_SHOWN]
        for name in names[:1] + names[-1:] if site.is_short else names:
            if trouble := await _live_through(site, name):
                return f"{name}: {trouble}"
        return None


async def _live_through(site: Site, name: str) -> str | None:
    """Let pauses pass that the clocks show in this way."""
    clocks = MovedClocks()
    scene = await site.open(timing=_QUICK, clock=HostClock(clocks.read), ttl_ms=_TTL_MS)
    terminal = await scene.terminal()
    await terminal.hello()
    for pause_s in _PAUSES_S:
        before = terminal.command()
        if name == _NOT_SHOWN:  # only the terminal has lived through it; its first command tells
            terminal.session_s -= pause_s
            before = terminal.command()
        else:
            clocks.move(*SEEN[name](pause_s))
        if trouble := await _transfer_twice(scene, terminal, before):
            return f"after {pause_s:g} s {trouble}"
    return None


async def _ask_anew(terminal: FakeTerminal) -> tuple[str, str | None]:
    """Send a command keyed just now, in the newest session."""
    terminal.use_new_session()
    return await terminal.ask()


async def _transfer_twice(scene: Crowd, terminal: FakeTerminal, before: dict[str, Any]) -> str | None:
    """Send what was keyed before the pause, and something new once there is a new session."""
    asked = len(scene.pbx.asked)
    answer = await terminal.ask_with(before)
    if len(scene.pbx.asked) != asked:
        return "a command from before the pause was carried out after it"
    if answer != ("rejected", "stale"):
        return f"a command from before the pause was {answer}"
    await until(
        lambda: terminal.heard(messages.SESSION)[-1]["session"] != terminal.session,
        otherwise="no new session came after the pause",
    )
    answer = await _ask_anew(terminal)
    if answer == ("rejected", "stale") and terminal.heard(messages.SESSION)[-1]["session"] != terminal.session:
        answer = await _ask_anew(terminal)  # that session was replaced meanwhile, and its user keys again
    scene.pbx.end_transfer()
    return None if answer == ("accepted", None) else f"a new command was {answer}"
