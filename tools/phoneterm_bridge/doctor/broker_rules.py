"""Tries at the broker what a terminal must not be able to do. Does not know how a broker is configured.

Everything published is one word that no receiver takes for a message of the contract, under the name of a terminal
that does not exist; nothing is retained. A broker may grant subscriptions and acknowledge publishes that its rules
forbid, so only received messages count: a forbidden publish shows only to somebody who may read that topic.
"""

import asyncio
import secrets

from phoneterm.core import messages

from phoneterm_bridge.doctor.broker_client import BrokerClient
from phoneterm_bridge.doctor.finding import OK, PROBLEM, UNKNOWN, Change, Finding
from phoneterm_bridge.wording.names import name_some

_PART = "broker rules"
_WORD = b"doctor"
_LISTEN_S = 1.0
_FIX = Change("mosquitto: acl_file", "what `phoneterm broker config` writes, then systemctl reload mosquitto")
STRANGER = "a stranger without a login"


async def try_rules(client: BrokerClient, base: str, own: str | None, witness: BrokerClient | None) -> list[Finding]:
    """Try everything as a logged-in terminal `own`, or as a stranger (None); `witness` is logged in as the bridge."""
    nobody = f"doctor-{secrets.token_hex(6)}"
    who = STRANGER if own is None else f"the terminal {own}"
    listened = [messages.bridge_filter(base), *messages.topic_filters(base, "+")]
    for topic_filter in listened + ([] if own is None else list(messages.topic_filters(base, own))):
        await client.subscribe(topic_filter)
    if witness is not None:
        await witness.subscribe(messages.bridge_filter(base))
    tries = _tries(base, own, nobody)
    for topic in tries:
        client.publish(topic, _WORD)
    await asyncio.sleep(_LISTEN_S)
    heard = client.heard | (witness.heard if witness else set())
    wrong = [what for topic, what in tries.items() if (topic, _WORD) in heard]
    if any(_is_foreign(base, topic, own) for topic, payload in client.heard if payload != _WORD):
        wrong.append("read what is said by or to other terminals")
    if wrong:
        return [Finding(PROBLEM, _PART, f"At the broker {who} can {name_some(wrong)}.", _FIX)]
    if own is None:
        return [Finding(OK, _PART, "A stranger gets in at the broker but could neither say nor hear anything.")]
    found = [Finding(OK, _PART, f"At the broker {who} could not {name_some(_observable(tries, base, own, witness))}.")]
    if witness is None:
        sentence = (
            "Whether a terminal can speak as another one was not tried: only the bridge's own login would hear it."
        )
        fix = Change("command line", "stop the bridge, then phoneterm doctor --as-terminal FILE --bridge-is-down")
        found.append(Finding(UNKNOWN, _PART, sentence, fix))
    return found


async def hears_a_bridge(client: BrokerClient, base: str) -> bool:
    """Say whether the broker retains the message of a bridge that it is online."""
    topic = messages.topic_of(base, "", messages.BRIDGE_STATE)
    await client.subscribe(topic)
    await asyncio.sleep(_LISTEN_S)
    said = [
        messages.decode(messages.BRIDGE_STATE, topic, None, payload)
        for where, payload in client.heard
        if where == topic
    ]
    return any(isinstance(fields, dict) and fields["state"] != "offline" for fields in said)


def _tries(base: str, own: str | None, nobody: str) -> dict[str, str]:
    """Return topic -> what it would mean if a message there were received."""
    tries = {
        messages.topic_of(base, nobody, messages.COMMAND): "give commands as another terminal",
        messages.topic_of(base, nobody, messages.REQUEST): "speak to other terminals as the bridge does",
        messages.topic_of(base, "", messages.BRIDGE_STATE): "say the bridge's state",
    }
    if own is not None:
        tries[messages.topic_of(base, own, messages.REQUEST)] = "speak to itself as the bridge does"
    return tries


def _observable(tries: dict[str, str], base: str, own: str, witness: BrokerClient | None) -> list[str]:
    seen = [messages.topic_of(base, "", messages.BRIDGE_STATE), messages.topic_of(base, own, messages.REQUEST)]
    if witness is not None:
        seen += [topic for topic in tries if topic.endswith(messages.COMMAND)]
    return [tries[topic] for topic in seen]


def _is_foreign(base: str, topic: str, own: str | None) -> bool:
    parsed = messages.parse_topic(base, topic)
    return parsed is not None and parsed[1] != messages.BRIDGE_STATE and parsed[0] != own
