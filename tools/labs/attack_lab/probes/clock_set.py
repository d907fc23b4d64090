"""The wall clock of the bridge's host is set, forward and back, by whoever can. Moves no real clock."""

from phoneterm_bridge.terminals.host_clock import HostClock

from attack_lab.probe import Probe
from attack_lab.scenery.moved_clocks import AT_COMMANDS, HOUR_S, MovedClocks, take_session
from attack_lab.site import Site


class ClockSet(Probe):
    """See `sentence`."""

    name = "wall clock set"
    sentence = "back by an hour, to make an old command young, and forward by an hour, to make all commands late"

    async def run(self, site: Site) -> str | None:
        """Set it back under a command that stands still with the host, and forward between two commands."""
        clocks = MovedClocks()
        scene = await site.open(timing=AT_COMMANDS, clock=HostClock(clocks.read))
        terminal = await scene.terminal()
        await terminal.hello()
        old = terminal.command()
        clocks.move(0, -HOUR_S)
        if (answer := await terminal.ask()) != ("accepted", None):
            return f"after it was set back a command keyed just now was {answer}"
        scene.pbx.end_transfer()
        clocks.move(20, 20 - HOUR_S)
        if (answer := await terminal.ask_with(old)) != ("rejected", "stale"):
            return f"a command from before a pause was {answer} once the clock was set back"
        await take_session(terminal, 2, "the pause")
        clocks.move(0, HOUR_S)
        scene.bridge.parts.updates.follow_clock()
        await take_session(terminal, 3, "the clock was set forward")
        answer = await terminal.ask()
        return None if answer == ("accepted", None) else f"after it was set forward a command was {answer}"
