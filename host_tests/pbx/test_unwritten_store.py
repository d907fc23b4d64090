"""The store cannot be written while a caller is on hold: the keypad works at the PBX, and the journal has it later."""

import pytest
from attack_lab.scenery.held_store import filling_disk, locking
from attack_lab.scenery.mqtt_wire import MqttWire
from attack_lab.scenery.waiting import until
from bridge.running_bridge import RunningBridge
from pbx.desk import CALLER, COLLEAGUE, USER
from pbx.office import WAIT_S, Office
from pbx_lab.legs import are_alone
from phoneterm.core import messages
from phoneterm_bridge.store.journal_proof import prove
from phoneterm_bridge.store.journal_reading import find_nearest

pytestmark = pytest.mark.asyncio(loop_scope="session")

# The operation, what the PBX then has as the only pair of two, and what the consultation's command comes to.
ENDS = [("complete", (CALLER, COLLEAGUE), ("done", None)), ("cancel", (CALLER, USER), ("returned", "cancelled"))]


class OfficeOnItsOwn(Office):
    """An office whose bridge is a process, with its embedded broker."""

    async def open(self):
        pbx, store = self.settings.pbx, self.settings.store
        self.bridge = await RunningBridge(
            f"store.path={store.path}", f"pbx.port={pbx.port}", f"pbx.username={pbx.username}",
            f"pbx.secret={pbx.secret.get_secret_value()}",
        ).__aenter__()  # fmt: skip
        port = (await self.bridge.event("bridge-runs"))["broker_port"]
        await self.bridge.event("pbx-available")
        self.link = MqttWire()
        await self.link.connect(port, self.enrolment.tid, self.enrolment.mqtt_password)
        await self.link.subscribe(*messages.topic_filters("phoneterm", self.enrolment.tid))
        await self.boot()

    async def __aexit__(self, *_):
        await self.link.close()
        await self.bridge.__aexit__()
        self.engine.dispose()


def results(office, moment_ms=None):
    """Return the results of the newest command in the journal."""
    found = find_nearest(office.engine, USER, moment_ms)
    return [(line.word, line.reason) for line in found.lines if line.stage == "result"]


@pytest.mark.parametrize(("op", "pair", "end"), ENDS)
async def test_a_caller_on_hold_is_released_while_another_program_has_the_store_locked(office, op, pair, end):
    await office.talk()
    consultation = await office.ask("attended", COLLEAGUE)
    await office.comes_to(consultation, "consulting")
    await until(lambda: office.bridge.parts.journal.queued == 0)
    with locking(office.settings.store.path):
        steering = await office.ask(op)
        await office.comes_to(steering, "done")
        await office.comes_to(consultation, *end)
        await office.lab.wait_until(lambda legs: are_alone(legs, *pair))
        assert results(office)[-1] == ("consulting", None)
    await until(lambda: office.bridge.parts.journal.queued == 0, WAIT_S)
    assert results(office) == [("accepted", None), ("done", None)]
    assert prove(office.engine).problem is None


@pytest.mark.parametrize(("op", "pair", "end"), ENDS)
async def test_a_caller_on_hold_is_released_while_the_disk_takes_nothing(lab, tmp_path, op, pair, end):
    async with OfficeOnItsOwn(lab, tmp_path) as office:
        await office.talk()
        consultation = await office.ask("attended", COLLEAGUE)
        await office.comes_to(consultation, "consulting")
        await office.journal_says("result", "consulting", None)
        with filling_disk(office.bridge.pid):
            steering = await office.ask(op)
            await office.comes_to(steering, "done")
            await office.comes_to(consultation, *end)
            await office.lab.wait_until(lambda legs: are_alone(legs, *pair))
            told = await office.bridge.event("journal-cannot-be-written")
            assert told["why"].startswith(f"The disk does not do what the store {office.settings.store.path} needs")
            if op == "cancel":
                await office.call_is("talking")
                await office.comes_to(await office.ask("blind", COLLEAGUE), "rejected", "unavailable")
        await office.bridge.event("journal-written-again")
        await until(lambda: results(office) == [("accepted", None), ("done", None)], WAIT_S)
        if op == "complete":
            await office.lab.clear()
            await office.talk()
        await office.comes_to(await office.ask("blind", COLLEAGUE), "done")
        assert prove(office.engine).problem is None
