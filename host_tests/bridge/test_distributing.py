"""The embedded broker distributes a message to all who are there, whoever comes and goes while it does."""

import asyncio

import pytest
from amqtt.contexts import BrokerConfig
from amqtt.session import Session
from phoneterm_bridge.broker.amqtt_broker import SubscribersOnlyBroker


class BusyBroker(SubscribersOnlyBroker):
    """Lets something happen while it looks whether the first client may have the message; counts who was looked at."""

    def __init__(self, meanwhile):
        super().__init__(BrokerConfig())
        self._meanwhile = meanwhile
        self.asked = []

    async def _topic_filtering(self, session, topic, action):
        self.asked.append(session.client_id)
        if len(self.asked) == 1:
            self._meanwhile(self)
            await asyncio.sleep(0)
        return True


def make_session(client_id):
    session = Session()
    session.client_id = client_id
    return session


def let_one_come(broker):
    broker._subscriptions["state/of/c"] = [(make_session("c"), 1)]


def let_one_leave(broker):
    broker._del_subscription("state", make_session("a"))


@pytest.mark.parametrize("meanwhile", [let_one_come, let_one_leave])
async def test_whoever_is_there_is_reached_while_others_come_and_go(meanwhile):
    broker = BusyBroker(meanwhile)
    broker._subscriptions["state"] = [(make_session(name), 1) for name in ("a", "b")]
    broker._subscriptions["+"] = [(make_session("d"), 1)]
    await broker._broadcast_queue.put({"topic": "state", "data": b"", "session": make_session("bridge")})
    await broker._run_broadcast(broker._tasks_queue)
    assert broker.asked == ["a", "b", "d"]
    async with asyncio.timeout(5):
        await broker._broadcast_queue.join()
