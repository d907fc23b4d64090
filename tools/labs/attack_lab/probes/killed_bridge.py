"""`kill -9` of the bridge at each step of a command, while others are under way. The fault lab plays and judges it."""

from fault_lab.chaos import run_all
from fault_lab.plan import STEPS, Outage, Plan

from attack_lab.probe import Probe
from attack_lab.site import Site

_ROUNDS = 25  # so many kills
_CELLS = 6
_SHORT_STEPS = (STEPS[4], STEPS[7])  # in the bridge, and right after the PBX has acted


class KilledBridge(Probe):
    """See `sentence`."""

    name = "killed bridge"
    sentence = f"{_ROUNDS} times kill -9 at each step of a command, six installations at a time"
    most_s = 120.0

    async def run(self, site: Site) -> str | None:
        """Play a command with a kill for each step, in turn."""
        steps = _SHORT_STEPS if site.is_short else [STEPS[index % len(STEPS)] for index in range(_ROUNDS)]
        plans = [
            Plan(index, site.broker, ("blind", "attended")[index // len(STEPS) % 2], (),
                 (Outage("bridge", step, 0.0, 0.1),), False, 0.07, 0.05)
            for index, step in enumerate(steps)
        ]  # fmt: skip
        reports = [report async for report in run_all(plans, site.part, _CELLS)]
        broken = [f"{one.plan.describe()}: {one.why}" for one in reports if one.end == "broken"]
        return broken[0] if broken else None
