"""One of 201 terminals says as much as the wire takes, again and again. The bridge's lab floods, measures and judges.

In the short form only the bridge's memory is judged: how the others fare says nothing beside other work.
"""

from dataclasses import replace

from bridge_lab.flood_bench import failures_of_floods, measure_floods

from attack_lab.probe import Probe
from attack_lab.site import EMBEDDED, Site

_FULL_S, _SHORT_S = 2.0, 0.5
_FULL_IN_TURN, _SHORT_IN_TURN = 20, 2


class Flood(Probe):
    """See `sentence`."""

    name = "flood"
    sentence = "telemetry and false commands (QoS 0), 16 KB (QoS 2) never released, beside 200 terminals; 20 in turn"
    most_s = 120.0

    async def run(self, site: Site) -> str | None:
        """Flood, and see how the others and the bridge's memory are."""
        seconds, in_turn = (_SHORT_S, _SHORT_IN_TURN) if site.is_short else (_FULL_S, _FULL_IN_TURN)
        flooded = [one async for one in measure_floods(site.broker == EMBEDDED, seconds, in_turn)]
        if site.is_short:
            flooded = [replace(one, p99_ms=[0.0], problems=[]) for one in flooded]
        return " ".join(failures_of_floods(flooded)) or None
