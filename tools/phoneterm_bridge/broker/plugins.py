"""The two plugins that amqtt asks whether a client is authenticated, and whether it may use a topic.

They decide nothing themselves: every client that reaches amqtt was admitted before, and BrokerAccess judges topics.
amqtt makes the plugins from their dotted names, and gives each the fields of its Config.
"""

from dataclasses import dataclass

from amqtt.contexts import Action
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session

from phoneterm_bridge.broker.access import READ, SUBSCRIBE, WRITE, BrokerAccess

_ACTIONS = {Action.PUBLISH: WRITE, Action.RECEIVE: READ, Action.SUBSCRIBE: SUBSCRIBE}


def configure(access: BrokerAccess) -> dict:
    """Return amqtt's `plugins` configuration."""
    return {f"{__name__}.AdmittedAtTheDoor": {}, f"{__name__}.TopicsByUser": {"access": access}}


class AdmittedAtTheDoor(BaseAuthPlugin):
    """Authenticates every client that has a user name: the door admits no other."""

    async def authenticate(self, *, session: Session) -> bool:
        """Say whether the session belongs to an admitted client."""
        return bool(session.username)


class TopicsByUser(BaseTopicPlugin):
    """Applies the access rules to each publish, subscription and delivery."""

    @dataclass
    class Config:
        """The values from `configure`."""

        access: BrokerAccess

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool:
        """Say whether the session's user may do this with the topic."""
        if session is None or topic is None or action is None:
            return False
        return self.config.access.allows(session.username, _ACTIONS[action], topic)
