"""Genuine commands that arrive too late: a slow network, or somebody who holds them back. Forges nothing."""

import asyncio

from attack_lab.probe import Probe
from attack_lab.scenery.fake_pbx import talking
from attack_lab.site import Site

_TTL_MS = 1000


class LateCommand(Probe):
    """See `sentence`."""

    name = "late command"
    sentence = "older than its time to live, of the session before, or meant for the call before"

    async def run(self, site: Site) -> str | None:
        """Deliver each after what makes it late."""
        scene = await site.open(ttl_ms=_TTL_MS)
        terminal = await scene.terminal()
        await terminal.hello()
        held = terminal.command(call=None)
        await asyncio.sleep(_TTL_MS / 1000 + 0.1)  # that much older than its time to live
        answers = [await terminal.ask_with(held)]
        held = terminal.command(call=None)
        await terminal.hello()
        answers.append(await terminal.ask_with(held))
        await terminal.hello()
        held = terminal.command()
        scene.pbx.change_calls("101", talking("c2"))
        answers.append(await terminal.ask_with(held))
        if scene.pbx.asked:
            return f"the PBX was asked for {scene.pbx.asked[0]}"
        expected = [("rejected", reason) for reason in ("stale", "bad-session", "no-call")]
        if answers != expected:
            return f"they were {answers}"
        await terminal.hello()
        answer = await terminal.ask(call=None)
        return None if answer == ("accepted", None) else f"a command in time was {answer}"
