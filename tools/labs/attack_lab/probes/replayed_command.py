"""A genuine command that somebody has recorded, sent again and again. Forges nothing."""

from phoneterm.core import messages

from attack_lab.probe import Probe
from attack_lab.scenery.waiting import until
from attack_lab.site import Site

_TIMES = 20


class ReplayedCommand(Probe):
    """See `sentence`."""

    name = "replayed command"
    sentence = "20 times at once, after its transfer, with another number, in the next session, after a restart"

    async def run(self, site: Site) -> str | None:
        """Record one command, and repeat it."""
        scene = await site.open()
        terminal = await scene.terminal()
        await terminal.hello()
        fields = terminal.command(call=None)
        recorded = terminal.encode(messages.COMMAND, fields)
        topic = terminal.topic(messages.COMMAND)
        for _ in range(_TIMES):
            await terminal.wire.send(topic, recorded)
        await until(lambda: terminal.results(fields["id"]))
        scene.pbx.end_transfer()
        await until(lambda: ("done", None) in terminal.results(fields["id"]))
        await terminal.ask_with(fields)
        await terminal.ask_with(fields | {"number": "103"})
        await terminal.hello()
        await terminal.ask_with(fields)
        if len(scene.pbx.asked) != 1:
            return f"the PBX was asked {len(scene.pbx.asked)} times"
        await scene.stop_bridge()
        await scene.start()
        terminal = await scene.terminal()
        terminal.session = fields["id"].partition(".")[0]
        await terminal.ask_with(fields)
        return f"after a restart the PBX was asked for {scene.pbx.asked[0]}" if scene.pbx.asked else None
