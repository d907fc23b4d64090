"""Shared by the tests of the standing watch: sites on both brokers, and a probe by its name."""

import pytest
from attack_lab.every_probe import PROBES
from attack_lab.site import MOSQUITTO, Site
from attack_lab.watch import try_probe


@pytest.fixture
def try_in_short(need_part):
    """Return a coroutine that tries a probe on a broker in its short form, and returns what it saw."""

    async def try_one(name, broker):
        (probe,) = (one for one in PROBES if one.name == name)
        part = need_part(MOSQUITTO) if broker == MOSQUITTO else None
        return await try_probe(probe, Site(broker, part, is_short=True), probe.most_s)

    return try_one
