"""The short form of `make attack`: a few cases of every probe, on both brokers."""

import pytest
from attack_lab.every_probe import PROBES
from attack_lab.site import MOSQUITTO

_CASES = [(probe.name, broker) for probe in PROBES for broker in probe.brokers]
_CASES.remove(("flood", MOSQUITTO))  # the bridge's memory is the same, and 200 terminals take a while to come


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("name", "broker"), _CASES)
async def test_the_product_holds(try_in_short, name, broker):
    assert await try_in_short(name, broker) is None
