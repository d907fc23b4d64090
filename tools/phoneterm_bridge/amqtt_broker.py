"""amqtt's broker with one mistake taken out: who gets retained messages. Does not change anything else.

Found in amqtt 0.12: to every client that connects it sends the retained messages of all filters that anybody has
subscribed to, without asking the access rules, and so each terminal was shown the permissions of all others.
"""

from amqtt.broker import Broker
from amqtt.session import Session


class SubscribersOnlyBroker(Broker):
    """Sends retained messages only to a client that subscribed to the filter, which the access rules have allowed."""

    async def _publish_retained_messages_for_subscription(self, subscription: tuple, session: Session) -> None:
        if any(one is session for one, _ in self._subscriptions.get(subscription[0], ())):
            await super()._publish_retained_messages_for_subscription(subscription, session)
