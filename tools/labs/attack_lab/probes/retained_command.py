"""A command that the broker keeps, and hands to the bridge when it comes back. Sends nothing that is not genuine."""

from phoneterm.core import messages

from attack_lab.probe import Probe
from attack_lab.scenery.waiting import until
from attack_lab.site import EMBEDDED, Site


class RetainedCommand(Probe):
    """See `sentence`."""

    name = "retained command"
    sentence = "kept at the broker, or sent while the bridge is away, and delivered when it is back"

    async def run(self, site: Site) -> str | None:
        """Leave commands at the broker while the bridge is not there; an embedded broker is there with it alone."""
        scene = await site.open()
        terminal = await scene.terminal()
        await terminal.hello()
        if site.broker == EMBEDDED:
            scene.pbx.numbers.clear()  # so that it is refused now, and not when it comes again
            await terminal.send(messages.COMMAND, kept := terminal.command(call=None), is_retained=True)
            await terminal.hello()
            scene.pbx.numbers.add("102")
            scene.bridge.parts.link.reconnect()
            health = scene.bridge.parts.health
            await until(lambda: health.link_losses and scene.bridge.is_link_up, otherwise="the bridge stays away")
        else:
            kept = terminal.command(call=None)
            await scene.stop_bridge()
            await terminal.send(messages.COMMAND, kept)
            await terminal.send(messages.COMMAND, kept, is_retained=True)
            await scene.start()
        terminal = await scene.terminal()
        await terminal.hello()
        if scene.pbx.asked:
            return f"the PBX was asked for {scene.pbx.asked[0]}"
        answer = await terminal.ask("blind", "103") if "103" in scene.pbx.numbers else await terminal.ask()
        asked = [number for *_, number in scene.pbx.asked]
        if answer != ("accepted", None) or len(asked) != 1:
            return f"a command keyed afterwards was {answer}, and the PBX was asked for {asked}"
        return None if not terminal.results(kept["id"]) else "the terminal was told of the command that was kept"
