"""One enrolled terminal that speaks and listens as another, as the bridge, or gives itself rights. Has its own secrets.

What it publishes under the other's name is genuine: recorded elsewhere, so that only the broker's rules are in its way.
"""

import gmqtt
from phoneterm.core import messages

from attack_lab.probe import Probe
from attack_lab.scenery.crowd import MINE, Crowd
from attack_lab.scenery.fake_terminal import BASE, FakeTerminal
from attack_lab.scenery.mqtt_wire import LoginRefused, MqttWire
from attack_lab.scenery.waiting import until
from attack_lab.site import Site

_EVERYTHING = ("#", "+/#", "$SYS/#", f"{BASE}/#", f"{messages.topic_filters(BASE, '+')[0]}")


class ForeignTopic(Probe):
    """See `sentence`."""

    name = "foreign topic"
    sentence = "commands, hellos, farewells, wills and rights under others' names; filters that hear them"

    async def run(self, site: Site) -> str | None:
        """Speak, listen, and leave a will."""
        scene = await site.open()
        victim, attacker = await scene.terminal(), await scene.terminal(scene.other)
        await victim.hello()
        await attacker.hello()
        trouble = await _speak(scene, victim, attacker) or await _leave_wills(scene, victim)
        return trouble or await _listen(scene, victim)


async def _speak(scene: Crowd, victim: FakeTerminal, attacker: FakeTerminal) -> str | None:
    stolen = victim.command()
    rights = {"rev": 999, "multi_user_aware": True, "blind": True, "attended": True, "classes": ["internal"]}
    goodbye = {"boot": victim.boot, "state": "offline"}
    state = messages.topic_of(BASE, "", messages.BRIDGE_STATE)
    said = (
        (victim.topic(messages.COMMAND), victim.encode(messages.COMMAND, stolen)),
        (victim.topic(messages.STATE), victim.encode(messages.STATE, goodbye)),
        (victim.topic(messages.PERMISSIONS), b""),
        (attacker.topic(messages.PERMISSIONS), attacker.encode(messages.PERMISSIONS, rights)),
        (attacker.topic(messages.STATE) + "/more", b"x"),
        (state, messages.encode(messages.BRIDGE_STATE, state, None, {"state": "offline"})),
    )
    for topic, payload in said:
        await attacker.wire.send(topic, payload, is_retained=True)
    if (answer := await attacker.ask()) != ("rejected", "permission"):
        return f"its own command was {answer}"
    if scene.pbx.asked or victim.results(stolen["id"]):
        return "a command under the other's name was carried out"
    fresh = await scene.terminal(scene.other)
    await fresh.hello()
    if any(document == "empty" or document["multi_user_aware"] for document in fresh.heard(messages.PERMISSIONS)):
        return "it gave itself a right"
    states = [payload for where, payload, _ in fresh.wire.published if where == state]
    await fresh.wire.close()
    if any(b"offline" in payload for payload in states):
        return "it spoke as the bridge"
    answer = await victim.ask()
    return None if answer == ("accepted", None) else f"a command of the other afterwards was {answer}"


async def _leave_wills(scene: Crowd, victim: FakeTerminal) -> str | None:
    """Lose connections whose wills say that others are offline; a broker may refuse them, or not publish them."""
    for topic in (victim.topic(messages.STATE), messages.topic_of(BASE, "", messages.BRIDGE_STATE), "else/where"):
        await _leave_will(scene, topic, b'{"v":1,"boot":"%s","state":"offline"}' % victim.boot.encode())
    await victim.hello()
    scene.pbx.end_transfer()
    answer = await victim.ask(number="103")
    return None if answer == ("accepted", None) else f"after the wills a command of the other was {answer}"


async def _leave_will(scene: Crowd, topic: str, goodbye: bytes) -> None:
    wire = MqttWire(will_message=gmqtt.Message(topic, goodbye, qos=1, retain=True))
    try:
        await wire.connect(scene.bridge.broker_port, scene.other.tid, scene.other.mqtt_password)
    except LoginRefused:
        return
    wire.cut()
    await until(lambda: wire.is_lost)


async def _listen(scene: Crowd, victim: FakeTerminal) -> str | None:
    spy: MqttWire | None = None
    for topic_filter in (*_EVERYTHING, *messages.topic_filters(BASE, MINE)[:1], victim.topic(messages.COMMAND)):
        if spy is None or spy.is_lost:
            spy = MqttWire("spy")
            await spy.connect(scene.bridge.broker_port, scene.other.tid, scene.other.mqtt_password)
            scene.wires.append(spy)
        await spy.subscribe_anyhow(topic_filter)
        await victim.hello()
        await victim.ask(call="c9")  # refused, and answered
        if heard := [topic for topic in spy.heard() if MINE in topic]:
            return f"with the filter {topic_filter} it heard {heard[0]}"
    return None
