"""The short form of `make attack`: a few cases of every probe, on both brokers."""

import pytest
from attack_lab.every_probe import PROBES


@pytest.mark.parametrize(("name", "broker"), [(probe.name, broker) for probe in PROBES for broker in probe.brokers])
async def test_the_product_holds(try_in_short, name, broker):
    assert await try_in_short(name, broker) is None
