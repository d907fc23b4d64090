"""The faults of one run, drawn only from its seed: the same seed gives the same plan.

Does not carry it out. The timing cannot be repeated: it depends on the operating system and the interpreters where each
packet is when something breaks. Times are seconds.
"""

import random
from dataclasses import dataclass

from phoneterm.core import messages

from fault_lab import counting_lab as pbx
from fault_lab.faults import DOWN, UP, Fault

MOSQUITTO, EMBEDDED = "mosquitto", "embedded"
TERMINAL_SIDE, BRIDGE_SIDE = "terminal", "bridge"
TTL_S = 3.0  # of a command; shorter than the default, so that a command can be late in a short run

# Steps of a command, in their order; something can break at each.
FIRST_KEY, LAST_KEY, SENT = "first-key", "last-key", "command-sent"
ARRIVES, ARRIVED = "command-at-bridge", "command-in-bridge"
RESULT_SENT, RESULT_TOLD = "result-sent", "result-told"
STEPS = (
    FIRST_KEY, LAST_KEY, SENT, ARRIVES, ARRIVED, pbx.NUMBER_ASKED, pbx.PBX_ASKED, pbx.PBX_ACTED, RESULT_SENT,
    RESULT_TOLD,
)  # fmt: skip


@dataclass(frozen=True)
class Outage:
    """A part that fails as a whole, some time after a step: "broker" or "bridge" is killed and restarted after down_s;
    "call": the caller hangs up, and another one is there at once."""

    what: str
    step: str
    after_s: float
    down_s: float


@dataclass(frozen=True)
class Plan:
    """One run: a command and its faults. `faults` are (side, fault); early ones strike while the phone still starts."""

    seed: int
    broker: str
    op: str
    faults: tuple[tuple[str, Fault], ...]
    outages: tuple[Outage, ...]
    is_early: bool
    hold_s: float
    gap_s: float

    def describe(self) -> str:
        """Return the plan in one line."""
        words = [f"{self.op} on {self.broker}"]
        words += [f"{side} side: {_words_of(fault)}" for side, fault in self.faults]
        words += [
            f"{one.what} away {one.after_s * 1000:.1f} ms after {one.step} for {one.down_s:.2f} s"
            for one in self.outages
        ]
        return "; ".join(words) + (" (from the phone's start on)" if self.is_early else "")

    def families(self) -> tuple[str, ...]:
        """Return its kinds of faults, "none" for a run without any."""
        found = [fault.effect for _, fault in self.faults] + [f"{one.what} killed" for one in self.outages]
        return tuple(dict.fromkeys(name.replace("call killed", "next call") for name in found)) or ("none",)


def make_plan(seed: int, brokers: tuple[str, ...] = (MOSQUITTO, EMBEDDED)) -> Plan:
    """Return the plan of a seed, among these brokers."""
    chance = random.Random(f"chaos {seed}")  # noqa: S311 (nothing secret: the same seed must give the same plan)
    broker = chance.choice(brokers)
    op = chance.choice(("blind", "blind", "attended"))
    trouble = chance.choices(("none", "faults", "outage", "both"), (1, 10, 8, 3))[0]
    count = chance.choice((1, 1, 2)) if trouble in ("faults", "both") else 0
    faults = tuple(_draw_fault(chance, broker) for _ in range(count))
    outages = (_draw_outage(chance, broker),) if trouble in ("outage", "both") else ()
    if outages and outages[0].what == "call":
        faults += (_hold_command(chance),)
    is_early = bool(faults) and chance.random() < 0.15
    return Plan(seed, broker, op, faults, outages, is_early, chance.uniform(0.065, 0.09), chance.uniform(0.04, 0.06))


# The target of a fault: direction, packet, end of the topic, how many matching packets are skipped at most.
_AIMS = (
    (UP, "PUBLISH", messages.COMMAND, 0), (UP, "PUBLISH", messages.COMMAND, 0), (UP, "PUBLISH", messages.COMMAND, 0),
    (DOWN, "PUBACK", messages.COMMAND, 0), (DOWN, "PUBLISH", messages.RESULT, 1), (UP, "PUBACK", messages.RESULT, 1),
    (DOWN, "PUBLISH", messages.CALL, 1), (UP, "", "", 6), (DOWN, "", "", 6),
)  # fmt: skip
# The bridge is a client of the broker, so what goes up from the terminal comes down to the bridge.
_OPPOSITE = {UP: DOWN, DOWN: UP}


def _draw_fault(chance: random.Random, broker: str) -> tuple[str, Fault]:
    """Return (side, fault); an embedded broker has no connection to the bridge that could break."""
    side = chance.choice((TERMINAL_SIDE, BRIDGE_SIDE)) if broker == MOSQUITTO else TERMINAL_SIDE
    direction, packet, topic_end, most_skip = chance.choice(_AIMS)
    if side == BRIDGE_SIDE:
        direction = _OPPOSITE[direction]
    effect = chance.choice(("drop", "delay", "delay", "duplicate", "cut", "cut", "half-open", "throttle"))
    if effect == "duplicate":
        packet = "PUBLISH"
    amount = 0.0
    if effect == "delay":
        late_s = chance.uniform(TTL_S + 0.4, TTL_S + 1.4)
        amount = chance.choice((chance.uniform(0.01, 0.5), chance.uniform(1, 3), late_s, late_s))
    elif effect == "cut":
        amount = chance.choice((0.0, 1.0, chance.random()))
    elif effect == "throttle":
        amount = float(chance.choice((60, 200, 1000)))
    skip = chance.randint(0, most_skip)
    return side, Fault(effect, direction, packet, topic_end, skip, chance.choice((1, 1, 1, 3)), amount)


def _hold_command(chance: random.Random) -> tuple[str, Fault]:
    """Return a delay of the command for about as long as it takes to make the next call."""
    return TERMINAL_SIDE, Fault("delay", UP, "PUBLISH", messages.COMMAND, amount=chance.uniform(0, 0.3))


def _draw_outage(chance: random.Random, broker: str) -> Outage:
    """Return an outage at any step; an embedded broker fails together with the bridge."""
    what = chance.choices(("broker", "bridge", "call"), (4 if broker == MOSQUITTO else 0, 8, 2))[0]
    after_s = chance.choice((0.0, chance.uniform(0, 0.004), chance.uniform(0, 0.03)))
    steps = STEPS[1:] if what == "call" else STEPS  # at the first key a command may belong to either call
    return Outage(what, chance.choice(steps), after_s, chance.choice((0.0, chance.uniform(0.05, 0.8))))


def _words_of(fault: Fault) -> str:
    aim = " ".join(word for word in (fault.direction, fault.packet, fault.topic_end) if word)
    amount = f" {fault.amount:.2f}" if fault.effect in ("delay", "cut", "throttle") else ""
    return f"{fault.effect}{amount} of {aim or 'anything'}, {fault.times} after {fault.skip}"
