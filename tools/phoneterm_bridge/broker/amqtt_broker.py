"""amqtt's broker with one fault repaired (who gets retained messages), and able to finish deliveries before it stops.

Found in amqtt 0.12: it sends every client that connects the retained messages of all filters that anybody has
subscribed to, without asking the access rules. So each terminal got the permissions of all others. And its shutdown
discards messages that it has acknowledged to the publisher but not yet delivered.
"""

import asyncio
from collections import deque
from contextlib import suppress

from amqtt.broker import Broker
from amqtt.session import Session


class SubscribersOnlyBroker(Broker):
    """Sends retained messages only to a client that has subscribed to the filter, as the access rules allow."""

    async def _publish_retained_messages_for_subscription(self, subscription: tuple, session: Session) -> None:
        if any(one is session for one, _ in self._subscriptions.get(subscription[0], ())):
            await super()._publish_retained_messages_for_subscription(subscription, session)

    async def _run_broadcast(self, running_tasks: deque) -> None:
        await super()._run_broadcast(running_tasks)
        self._broadcast_queue.task_done()

    async def deliver(self, most_s: float) -> None:
        """Wait until everything published so far has been delivered, at most this long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(most_s):
                await self._broadcast_queue.join()
                await asyncio.gather(*self._tasks_queue, return_exceptions=True)
