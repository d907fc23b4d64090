"""Who may do what at the broker: the three lines of the contract, and one for the bridge. Knows no sockets.

A terminal may write the contract's topics under its own name, read those for itself, and read the bridge's state. The
user name counts, never the client id. A filter is allowed if everything that it can match is allowed.
"""

from phoneterm.core import messages

WRITE = "write"
READ = "read"
SUBSCRIBE = "subscribe"


class BrokerAccess:
    """The access rules under one base topic; `bridge_name` is the bridge's own user name."""

    def __init__(self, base: str, bridge_name: str) -> None:
        self._base = base
        self._bridge_name = bridge_name

    def allows(self, username: str | None, action: str, topic: str) -> bool:
        """Say whether a user may write or read a topic, or subscribe to a filter."""
        if username is None:
            return False
        if username == self._bridge_name:
            return topic == self._base or topic.startswith(self._base + "/")
        if not messages.is_tid(username):
            return False
        if action == WRITE:
            parsed = messages.parse_topic(self._base, topic)
            return parsed is not None and parsed[0] == username and parsed[1].startswith("up/")
        own_filter, bridge_state = messages.topic_filters(self._base, username)
        return topic == bridge_state or topic.startswith(own_filter.removesuffix("#"))
