"""Every probe can fail: with a part weakened as it might have been built, it sees that the product does not hold."""

from pathlib import Path

import pytest
from attack_lab.every_probe import PROBES
from attack_lab.scenery.fresh_store import forget_stores
from attacks.weak_parts import MOSQUITTO, WEAKENINGS

_PROGRAM = Path(__file__).with_name("weak_program")
_CASES = [(name, broker, *how) for name, on_brokers in WEAKENINGS.items() for broker, how in on_brokers.items()]


@pytest.fixture
def weaken(monkeypatch):
    """Return a function that weakens a part, here and in all programs that are started from now on."""
    forget_stores()

    def weaken_one(weakening):
        weakening(monkeypatch.setattr)
        monkeypatch.setenv("PYTHONPATH", str(_PROGRAM))
        monkeypatch.setenv("WEAKENED_PART", weakening.__name__)

    yield weaken_one
    forget_stores()


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("name", "broker", "weakening", "seen"), _CASES)
async def test_a_probe_sees_that_a_weakened_part_does_not_hold(try_in_short, weaken, name, broker, weakening, seen):
    weaken(weakening)
    found = await try_in_short(name, broker)
    assert found is not None
    assert seen in found


def test_each_probe_has_a_weakened_part_on_each_of_its_brokers():
    missing = [(probe.name, one) for probe in PROBES for one in probe.brokers if one not in WEAKENINGS[probe.name]]
    assert missing == [("flood", MOSQUITTO)]  # the bridge's memory is the same, and a flood takes half a minute
