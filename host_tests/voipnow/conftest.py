"""The stand-in of VoipNow, started once and cleared between tests, and the bridge in front of it."""

import time
from collections.abc import Sequence

import pytest
import pytest_asyncio
from attack_lab.scenery.waiting import until
from pbx.desk import USER, Desk
from pbx.office import Office
from voipnow_lab.voipnow_lab import VoipNowLab


class ShiftedClock:
    """The monotonic clock, put forward, stopped or broken by a test."""

    def __init__(self):
        self._ahead_s = 0.0
        self._stopped_s = None
        self.is_broken = False

    def __call__(self):
        if self.is_broken:
            self.is_broken = False
            raise RuntimeError
        real_s = time.monotonic() if self._stopped_s is None else self._stopped_s
        return real_s + self._ahead_s

    def break_once(self):
        """Fail the next time somebody looks."""
        self.is_broken = True

    def stop(self):
        """Count no time from here on but what is skipped, however long a busy computer takes."""
        self._stopped_s = time.monotonic()

    def skip(self, seconds):
        """Put the clock forward."""
        self._ahead_s += seconds


class AsAtAsterisk(Sequence):
    """What was done at VoipNow, under the names of Asterisk's actions, for tests that run on both."""

    def __init__(self, actions):
        self._names = {"Transfer": "BlindTransfer"}
        self._actions = actions

    def __len__(self):
        return len(self._actions)

    def __getitem__(self, at):
        found = self._actions[at]
        return [self._rename(name) for name in found] if isinstance(at, slice) else self._rename(found)

    def _rename(self, name):
        return self._names.get(name, name)


@pytest.fixture
def clock():
    """The backend's clock."""
    return ShiftedClock()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_lab():
    """A stand-in with the usual configuration."""
    lab = VoipNowLab()
    await lab.start()
    yield lab
    await lab.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def lab(running_lab):
    """The stand-in without any call."""
    yield running_lab
    await running_lab.clear()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(lab, clock):
    """A backend that looks at the stand-in, and its reports."""
    async with Desk(lab, clock=clock) as desk:
        await desk.wait_until(lambda: desk.pbx.is_available)
        yield desk


@pytest_asyncio.fixture(loop_scope="session")
async def office(lab, tmp_path):
    """A bridge on the stand-in, and the terminal of extension 101."""
    async with Office(lab, tmp_path) as office:
        yield office


@pytest_asyncio.fixture(loop_scope="session")
async def watched(office, lab):
    """An office in the middle of a call, and the actions that its PBX is asked for."""
    await office.talk()
    office.asked = AsAtAsterisk(lab.acted)
    yield office


@pytest_asyncio.fixture(loop_scope="session")
async def calls_are(desk):
    """A function that waits until the user's calls are in these states, in any order, and returns them."""

    async def wait(*states, endpoint=USER):
        await until(lambda: sorted(call.state for call in desk.pbx.calls(endpoint)) == sorted(states))
        return desk.pbx.calls(endpoint)

    return wait
