"""One of 201 terminals says as much as the wire takes, again and again. The bridge's lab floods, measures and judges.

In the short form only the bridge's memory is judged, beside twenty others and once for each kind of flood: how the
others fare says nothing beside other work.
"""

from dataclasses import replace

from bridge_lab.flood_bench import Flooded, failures_of_floods, measure_floods

from attack_lab.probe import Probe
from attack_lab.site import EMBEDDED, Site

_FULL_S, _SHORT_S = 2.0, 0.5
_FULL_IN_TURN, _SHORT_IN_TURN = 20, 2
_SHORT_OTHERS = 20


class Flood(Probe):
    """See `sentence`."""

    name = "flood"
    sentence = "telemetry and false commands (QoS 0), 16 KB (QoS 2) never released, beside 200 terminals; 20 in turn"
    most_s = 120.0

    async def run(self, site: Site) -> str | None:
        """Flood, and see how the others and the bridge's memory are."""
        is_embedded = site.broker == EMBEDDED
        if not site.is_short:
            return _judge([one async for one in measure_floods(is_embedded, _FULL_S, _FULL_IN_TURN)])
        async for one in measure_floods(is_embedded, _SHORT_S, _SHORT_IN_TURN, _SHORT_OTHERS, rounds=1):
            if seen := _judge([replace(one, p99_ms=[0.0], problems=[])]):
                return seen
        return None


def _judge(flooded: list[Flooded]) -> str | None:
    return " ".join(failures_of_floods(flooded)) or None
