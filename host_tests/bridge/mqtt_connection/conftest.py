"""A broker that says what the test writes, and the two event loops that the bridge's connection may run on."""

import asyncio

import pytest
import uvloop
from bridge.written_broker import WrittenBroker


@pytest.fixture(params=[asyncio.DefaultEventLoopPolicy, uvloop.EventLoopPolicy], ids=["asyncio", "uvloop"])
def event_loop_policy(request):
    """The event loop of the tests, and the bridge's own."""
    return request.param()


@pytest.fixture
async def broker(event_loop_policy):
    """A broker that sends what the test writes, and a connection to it that is not open yet."""
    async with asyncio.timeout(60), WrittenBroker() as broker:
        yield broker
