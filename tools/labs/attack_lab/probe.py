"""One attack: its name, a sentence on what it tries, and the trying itself. Starts nothing by itself.

A probe is one class in a file of `probes/`. What it needs it takes from its site; what it saw it returns.
"""

from abc import ABC, abstractmethod

from attack_lab.site import BROKERS, NEITHER, Site

ON_EACH_BROKER, WITHOUT_BROKER = BROKERS, (NEITHER,)


class Probe(ABC):
    """One attack. name: a few words; sentence: what it tries; most_s: after this time it has not held."""

    name: str
    sentence: str
    brokers: tuple[str, ...] = ON_EACH_BROKER
    most_s: float = 60.0

    @abstractmethod
    async def run(self, site: Site) -> str | None:
        """Attack; return None when it held, otherwise a sentence on what was seen. AssertionError is one, too."""
