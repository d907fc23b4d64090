"""Commands that the terminal has not signed, from whoever has taken over the broker. Knows no key of the terminal."""

import os
from typing import Any

from phoneterm.core import messages

from attack_lab.probe import Probe
from attack_lab.scenery.fake_terminal import FakeTerminal
from attack_lab.scenery.waiting import until
from attack_lab.site import Site


class ForgedCommand(Probe):
    """See `sentence`."""

    name = "forged command"
    sentence = "signed with a random key, with another terminal's, not at all, or changed after it was signed"

    async def run(self, site: Site) -> str | None:
        """Send them all to the terminal's own topic."""
        scene = await site.open()
        victim = await scene.terminal()
        await victim.hello()
        forged = [forge(victim, victim.command()) for forge in _WAYS]
        forged.append(victim.encode(messages.COMMAND, victim.command(), scene.other.mac_key))
        for payload in forged:
            await victim.wire.send(victim.topic(messages.COMMAND), payload)
        refused = scene.bridge.parts.router.refused
        await until(lambda: scene.pbx.asked or refused["bad-signature"] == len(forged))
        if scene.pbx.asked:
            return f"the PBX was asked for {scene.pbx.asked[0]}"
        answer = await victim.ask()
        return None if answer == ("accepted", None) else f"a true command afterwards was {answer}"


def _sign_with_any_key(victim: FakeTerminal, fields: dict[str, Any]) -> bytes:
    return victim.encode(messages.COMMAND, fields, os.urandom(32))


def _leave_out_the_signature(victim: FakeTerminal, fields: dict[str, Any]) -> bytes:
    return victim.encode(messages.COMMAND, fields).rpartition(b"\n")[0]


def _sign_nothing(victim: FakeTerminal, fields: dict[str, Any]) -> bytes:
    return _leave_out_the_signature(victim, fields) + b"\n" + b"0" * 32


def _change_the_number(victim: FakeTerminal, fields: dict[str, Any]) -> bytes:
    return victim.encode(messages.COMMAND, fields).replace(b'"102"', b'"103"')


def _sign_for_another_topic(victim: FakeTerminal, fields: dict[str, Any]) -> bytes:
    topic = victim.topic(messages.COMMAND).replace(victim.tid, "phone-102")
    return messages.encode(messages.COMMAND, topic, victim.key, fields)


_WAYS = (
    _sign_with_any_key, _leave_out_the_signature, _sign_nothing, _change_the_number, _sign_for_another_topic,
)  # fmt: skip
