"""The standing watch: runs probes one after the other, each on the brokers that it is for, and tells what they saw.

Does not print. Every probe has an end, and so has the whole: what got no time was not tried, and that is no success.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass

from lab_parts.parts import Part

from attack_lab.probe import Probe
from attack_lab.site import NEITHER, Site

WITHIN_S = 300.0
_CLOSING_S = 20.0


@dataclass(frozen=True)
class Result:
    """One probe on one broker. seen: what it saw when it did not hold, None when it held."""

    probe: Probe
    broker: str
    seen: str | None
    took_s: float

    @property
    def has_held(self) -> bool:
        """Say whether it held."""
        return self.seen is None


async def watch(
    probes: Iterable[Probe], brokers: tuple[str, ...], part: Part | None = None, is_short: bool = False,
    within_s: float = WITHIN_S,
) -> AsyncGenerator[Result, None]:  # fmt: skip
    """Run the probes on these brokers; `part` is mosquitto, if it is one of them."""
    until_s = time.monotonic() + within_s
    for probe in probes:
        for broker in probe.brokers:
            if broker == NEITHER or broker in brokers:
                started_s = time.monotonic()
                seen = await try_probe(probe, Site(broker, part, is_short), min(probe.most_s, until_s - started_s))
                yield Result(probe, broker, seen, time.monotonic() - started_s)


async def try_probe(probe: Probe, site: Site, most_s: float) -> str | None:
    """Run one probe on a site, and return what it saw when it did not hold."""
    if most_s <= 0:
        return "it was not tried: the time for all was over"
    try:
        async with asyncio.timeout(most_s + _CLOSING_S), site, asyncio.timeout(most_s):
            seen = await probe.run(site)
    except TimeoutError:
        return f"it did not end within {most_s:.0f} s"
    except AssertionError as failure:
        return str(failure) or "something that must hold did not"
    except Exception as error:  # a part that cannot take an attack has not held, whatever it raises
        return f"it ended with {type(error).__name__}: {error}"
    if seen is None and site.log.find_errors():
        return f"the bridge has logged an error: {site.log.find_errors()[0]}"
    return seen
