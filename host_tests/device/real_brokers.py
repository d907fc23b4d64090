"""Real brokers on 127.0.0.1 with one terminal and one bridge: mosquitto, and the bridge's embedded one.

Does not interpret messages. Both apply the contract's access rules, so that the same tests run on both. `send` and
`received` use the bridge's connection.
"""

import asyncio

import gmqtt
from gmqtt.mqtt.constants import MQTTv311
from link_lab.mosquitto import Mosquitto
from phoneterm.core import messages
from phoneterm_bridge.broker.embedded import EmbeddedBroker
from phoneterm_bridge.store import passwords

BASE = "phoneterm"
TID = "desk-101"
PASSWORD = "keypad"
PATIENCE_S = 20
_BRIDGE = ("the-bridge", "bridge-password")
_ACCESS = f"""
user {_BRIDGE[0]}
topic readwrite {BASE}/#
pattern write {BASE}/v1/t/%u/up/#
pattern read {BASE}/v1/t/%u/down/#
pattern read {BASE}/v1/bridge/state
"""


def bridge_login(broker):
    """Return the bridge's user name and password at a broker."""
    return getattr(broker, "bridge_login", _BRIDGE)


def topic(kind):
    """Return a topic of the terminal."""
    return messages.topic_of(BASE, TID, kind)


class BridgeWire:
    """The bridge's own connection; `received` holds (topic, payload, is_retained)."""

    def __init__(self):
        self.received = []
        self._client = gmqtt.Client(None)
        self._client.set_config({"reconnect_retries": 0})
        self._client.on_message = self._take
        self._subscribed = asyncio.Event()
        self._client.on_subscribe = lambda *_: self._subscribed.set()

    async def connect(self, port, username, password):
        """Connect and subscribe to all messages of the terminal."""
        self._client.set_auth_credentials(username, password)
        await self._client.connect("127.0.0.1", port, version=MQTTv311)
        self._client.subscribe(messages.bridge_filter(BASE), qos=1)
        await asyncio.wait_for(self._subscribed.wait(), PATIENCE_S)

    def send(self, where, payload, qos=1, is_retained=False):
        """Publish to the terminal."""
        self._client.publish(where, payload, qos=qos, retain=is_retained)

    async def close(self):
        """Disconnect."""
        await self._client.disconnect()

    async def until_received(self, where, payload):
        """Wait for a message and return whether it was retained."""
        return (await self.until(lambda row: row[:2] == (where, payload)))[2]

    async def until(self, is_wanted, patience_s=PATIENCE_S):
        """Wait for a matching message (topic, payload, is_retained), and return it."""
        deadline = asyncio.get_running_loop().time() + patience_s
        while True:
            for row in self.received:
                if is_wanted(row):
                    return row
            assert asyncio.get_running_loop().time() < deadline, f"not among {self.received}"
            await asyncio.sleep(0.005)

    def _take(self, _client, where, payload, _qos, properties):
        self.received.append((where, bytes(payload), bool(properties["retain"])))


class Embedded:
    """The bridge's embedded broker, with a roster of one terminal; `tls` is its SSLContext, if any."""

    def __init__(self, tls=None):
        self._tls = tls
        self._broker = None
        self.port = 0
        self._record = type("Record", (), {"password_hash": passwords.hash_password(PASSWORD)})

    async def remove(self):
        """Stop it for good."""
        await self.stop()

    @property
    def bridge_login(self):
        """The bridge's user name and password."""
        return self._broker.address.username, self._broker.address.password

    def find(self, tid):
        """Return the one terminal, as a roster does."""
        return self._record if tid == TID else None

    async def start(self):
        """Start it, on the same port as before."""
        self._broker = EmbeddedBroker("127.0.0.1", self.port, BASE, self, self._tls)
        await self._broker.start()
        self.port = self._broker.port

    async def stop(self):
        """Stop it."""
        await self._broker.stop()


def make_mosquitto(part, tls_files=None, options=()):
    """Return a mosquitto with both users and the contract's access rules."""
    return Mosquitto(part, {TID: PASSWORD, _BRIDGE[0]: _BRIDGE[1]}, _ACCESS, tls_files, options)
