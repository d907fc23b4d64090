"""Every test here runs on the simulator and on the real Asterisk; each is started once and cleared between tests."""

import contextlib

import pytest
import pytest_asyncio
from pbx.desk import Desk, make_lab
from pbx.office import Office
from phoneterm_bridge.pbx.asterisk.features import ask_features


@pytest.fixture(scope="session", params=("simulator", "asterisk"))
def kind(request):
    """Which PBX is inside the lab."""
    return request.param


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_lab(kind, need_part):
    """A PBX with the usual configuration."""
    lab = make_lab(kind, need_part)
    await lab.start()
    yield lab
    await lab.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def lab(running_lab):
    """The PBX without any call."""
    yield running_lab
    await running_lab.clear()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(lab):
    """A backend that is connected to the PBX, and its reports."""
    async with Desk(lab) as desk:
        yield desk


@pytest_asyncio.fixture(loop_scope="session")
async def open_desk(kind, need_part):
    """A function that starts a separate PBX with options, and returns a desk there.

    find_features: replaces the backend's own way to find out what the PBX can do; pauses: of the backend.
    """
    async with contextlib.AsyncExitStack() as parts:

        async def open_one(find_features=ask_features, pauses=(), **options):
            lab = make_lab(kind, need_part, **options)
            await lab.start()
            parts.push_async_callback(lab.stop)
            return await parts.enter_async_context(Desk(lab, find_features=find_features, **dict(pauses)))

        yield open_one


@pytest_asyncio.fixture(loop_scope="session")
async def office(lab, tmp_path):
    """A bridge on the PBX, and the terminal of extension 101."""
    async with Office(lab, tmp_path) as office:
        yield office


@pytest_asyncio.fixture(loop_scope="session")
async def open_office(kind, need_part, tmp_path):
    """A function that starts a separate PBX with options, and returns an office there; policy: its rules."""
    opened = []

    async def open_one(policy=None, **options):
        lab = make_lab(kind, need_part, **options)
        await lab.start()
        opened.append(lab.stop)
        office = await Office(lab, tmp_path, policy=policy).__aenter__()
        opened.append(office.__aexit__)
        return office

    yield open_one
    for close in reversed(opened):
        await close()
