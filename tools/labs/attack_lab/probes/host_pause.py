"""The bridge's host stands still: suspended, frozen, put right or not. Moves no real clock."""

from itertools import product
from typing import Any

from phoneterm.core import messages
from phoneterm_bridge.terminals.host_clock import HostClock

from attack_lab.probe import Probe
from attack_lab.scenery.crowd import Crowd
from attack_lab.scenery.fake_terminal import FakeTerminal
from attack_lab.scenery.moved_clocks import AT_COMMANDS, SEEN, MovedClocks, take_session
from attack_lab.site import Site

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
    scene = await site.open(timing=AT_COMMANDS, clock=HostClock(clocks.read), ttl_ms=_TTL_MS)
    terminal = await scene.terminal()
    await terminal.hello()
    for pause_s, is_seen in product(_PAUSES_S, (False,) if name == _NOT_SHOWN else (False, True)):
        before = terminal.command()
        if name == _NOT_SHOWN:  # only the terminal has lived through it; its first command tells
            terminal.session_s -= pause_s
            before = terminal.command()
        else:
            clocks.move(*SEEN[name](pause_s))
        sessions = len(terminal.heard(messages.SESSION)) + 1
        if is_seen:  # by the bridge itself, before a command comes
            scene.bridge.parts.updates.follow_clock()
            sessions += 1  # one now, and one for a terminal that seems not to have got it
        if trouble := await _transfer_twice(scene, terminal, before, sessions):
            return f"after {pause_s:g} s {trouble}"
    return None


async def _transfer_twice(scene: Crowd, terminal: FakeTerminal, before: dict[str, Any], sessions: int) -> str | None:
    """Send what was keyed before the pause, and something new in the session with that number."""
    asked = len(scene.pbx.asked)
    answer = await terminal.ask_with(before)
    if len(scene.pbx.asked) != asked:
        return "a command from before the pause was carried out after it"
    if answer != ("rejected", "stale"):
        return f"a command from before the pause was {answer}"
    await take_session(terminal, sessions, "the pause")
    answer = await terminal.ask()
    scene.pbx.end_transfer()
    return None if answer == ("accepted", None) else f"a new command was {answer}"
