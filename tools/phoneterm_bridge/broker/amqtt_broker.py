"""amqtt's broker with two faults repaired (who gets retained messages, who has gone), and able to finish deliveries.

Found in amqtt 0.12: it serves a client for ever that has gone right after its CONNECT, so nobody could take over from
it. It sends every client that connects the retained messages of all filters that anybody has
subscribed to, without asking the access rules. So each terminal got the permissions of all others. And its shutdown
discards messages that it has acknowledged to the publisher but not yet delivered.
"""

import asyncio
from collections import deque
from contextlib import suppress

from amqtt.broker import Broker
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import Session


class SubscribersOnlyBroker(Broker):
    """Sends retained messages only to a client that has subscribed to the filter, as the access rules allow."""

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
