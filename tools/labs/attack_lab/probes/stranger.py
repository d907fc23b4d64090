"""Logins of whoever has no secret: without a name, with wrong passwords, with guessed names. Sends nothing else."""

from phoneterm.core import messages

from attack_lab.probe import Probe
from attack_lab.scenery.crowd import MINE
from attack_lab.scenery.mqtt_wire import LoginRefused, MqttWire
from attack_lab.site import Site

_GUESSES: tuple[tuple[str | None, str | None], ...] = (
    (None, None), (MINE, "wrong"), (MINE, ""), (MINE, MINE), ("nobody", "wrong"), ("BRIDGE", "wrong"),
    ("bridge", "bridge"), ("bridge", ""), ("+", "x"), ("#", "x"), ("phone-101/../x", "x"), ("ü" * 100, "x"),
)  # fmt: skip


class Stranger(Probe):
    """See `sentence`."""

    name = "stranger at the broker"
    sentence = "12 logins without a name, with wrong passwords, with another terminal's, as the bridge"

    async def run(self, site: Site) -> str | None:
        """Try to log in."""
        scene = await site.open()
        victim = await scene.terminal(client_id="victim")
        await victim.hello()
        for name, password in (*_GUESSES, (MINE, scene.other.mqtt_password)):
            wire = MqttWire("victim")
            try:
                await wire.connect(scene.bridge.broker_port, name, password)
            except LoginRefused:
                continue
            scene.wires.append(wire)
            return f"{name!a} with the password {password!a} was let in"
        if victim.wire.is_lost:
            return "a refused login has ended the connection of the terminal with that client id"
        answer = await victim.ask()
        heard = victim.heard(messages.RESULT)
        return None if answer == ("accepted", None) else f"a command beside them was {answer} {heard}"
