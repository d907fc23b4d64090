"""amqtt's broker with its faults repaired, its queues bounded, and able to finish deliveries. Judges no topics.

Found in amqtt 0.12: it serves a client for ever that has gone right after its CONNECT, so nobody could take over from
it. It sends every client that connects the retained messages of all filters that anybody has
subscribed to, without asking the access rules. So each terminal got the permissions of all others. And its shutdown
discards messages that it has acknowledged to the publisher but not yet delivered. Its queue of messages for everybody
has no end: here it has one, and who fills it waits. Nobody is granted QoS 2, which the contract does not use. While it
distributes a message it waits, and whoever subscribed or left meanwhile ended that, or had another client left out.
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import Session

_MOST_TO_DELIVER = 1000
_MOST_QOS = 1


class _Filters(dict[str, list[tuple[Session, int]]]):
    """Who has subscribed to each filter; they may come and go while somebody goes through them."""

    def items(self) -> list[tuple[str, list[tuple[Session, int]]]]:  # type: ignore[override]
        """Return what is there now."""
        return list(super().items())


class SubscribersOnlyBroker(Broker):
    """Sends retained messages only to a client that has subscribed to the filter, as the access rules allow."""

    def __init__(self, config: BrokerConfig) -> None:
        super().__init__(config)
        self._broadcast_queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(_MOST_TO_DELIVER)
        self._subscriptions = _Filters()

    def undone(self, client_id: str) -> int:
        """Return how many packets of a client have been read and not worked off."""
        session, handler = self._sessions.get(client_id, (None, None))
        if session is None or handler is None:
            return 0
        asked = handler._pending_subscriptions.qsize() + handler._pending_unsubscriptions.qsize()
        return session.delivered_message_queue.qsize() + asked

    def unacknowledged(self, client_id: str) -> int:
        """Return how many messages a client was sent and has not acknowledged."""
        session, _ = self._sessions.get(client_id, (None, None))
        return 0 if session is None else len(session.inflight_out)

    def subscribed(self, client_id: str) -> int:
        """Return how many filters a client has; amqtt compares each with every message that anybody publishes."""
        return sum(any(one.client_id == client_id for one, _ in its) for its in self._subscriptions.values())

    async def add_subscription(self, subscription: tuple[str, int], session: Session) -> int:
        """Subscribe a client to a filter, if it may; return the QoS that it is granted."""
        topic_filter, qos = subscription
        return await super().add_subscription((topic_filter, min(qos, _MOST_QOS)), session)

    def _del_subscription(self, a_filter: str, session: Session) -> int:
        there = self._subscriptions.get(a_filter, [])
        left = [one for one in there if one[0].client_id != session.client_id]
        if len(left) < len(there):
            self._subscriptions[a_filter] = left  # a new list: somebody may be going through the old one
        return len(there) - len(left)

    async def _publish_retained_messages_for_subscription(self, subscription: tuple, session: Session) -> None:
        if any(one is session for one, _ in self._subscriptions.get(subscription[0], ())):
            await super()._publish_retained_messages_for_subscription(subscription, session)

    async def _client_message_loop(self, client_session: Session, handler: BrokerProtocolHandler) -> None:
        if handler._reader_stopped.is_set():  # that was before amqtt began to wait for it
            await handler.handle_connection_closed()
        await super()._client_message_loop(client_session, handler)

    async def _run_broadcast(self, running_tasks: deque) -> None:
        await super()._run_broadcast(running_tasks)
        self._broadcast_queue.task_done()

    async def deliver(self, most_s: float) -> None:
        """Wait until everything published so far has been delivered, at most this long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(most_s):
                await self._broadcast_queue.join()
                await asyncio.gather(*self._tasks_queue, return_exceptions=True)
