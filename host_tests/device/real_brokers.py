"""Real brokers on 127.0.0.1 with one terminal and one bridge: mosquitto, and the one that the bridge embeds.

Does not interpret messages. Both apply the contract's access rules, so that the same tests run on both. `send` and
`received` speak as the bridge.
"""

import asyncio
import base64
import hashlib
import os
import socket

import gmqtt
from gmqtt.mqtt.constants import MQTTv311
from phoneterm.core import messages
from phoneterm_bridge.embedded_broker import EmbeddedBroker
from phoneterm_bridge.store import passwords

BASE = "phoneterm"
TID = "desk-101"
PASSWORD = "keypad"
PATIENCE_S = 5
_BRIDGE = ("the-bridge", "bridge-password")
_ACCESS = f"""
user {_BRIDGE[0]}
topic readwrite {BASE}/#
pattern write {BASE}/v1/t/%u/up/#
pattern read {BASE}/v1/t/%u/down/#
pattern read {BASE}/v1/bridge/state
"""


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
        """Connect and subscribe to all that the terminal says."""
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

    async def until(self, is_wanted):
        """Wait for a message (topic, payload, is_retained) that is wanted, and return it."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            for row in self.received:
                if is_wanted(row):
                    return row
            assert asyncio.get_running_loop().time() < deadline, f"not among {self.received}"
            await asyncio.sleep(0.005)

    def _take(self, _client, where, payload, _qos, properties):
        self.received.append((where, bytes(payload), bool(properties["retain"])))


class Mosquitto:
    """A mosquitto of its own; can be stopped and started again on the same port."""

    def __init__(self, part, tls_files=None):
        self._part = part
        self._folder = part.make_folder()
        self._process = None
        self.port = _free_port()
        self.bridge_login = _BRIDGE
        users = {TID: PASSWORD, _BRIDGE[0]: _BRIDGE[1]}
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous false", "set_tcp_nodelay true", "user root",
                 f"password_file {self._write('passwords', _password_lines(users))}",
                 f"acl_file {self._write('access', _ACCESS)}", "persistence false", "log_dest stderr"]  # fmt: skip
        for name, content in (tls_files or {}).items():
            lines.append(f"{name} {self._write(name, content)}")
        self._config = self._write("mosquitto.conf", "\n".join(lines) + "\n")

    def _write(self, name, content):
        path = self._folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(0o600)
        return self._part.inside(path)

    async def start(self):
        """Start it and wait until it listens."""
        self._process = await asyncio.create_subprocess_exec(
            *self._part.argv, "-c", self._config, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                assert asyncio.get_running_loop().time() < deadline, "mosquitto does not listen"
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return

    async def stop(self):
        """Kill it."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


class Embedded:
    """The broker that the bridge embeds, with a roster of one."""

    def __init__(self):
        self._broker = None
        self.port = 0
        self._record = type("Record", (), {"password_hash": passwords.hash_password(PASSWORD)})

    @property
    def bridge_login(self):
        """The bridge's user name and password."""
        return self._broker.address.username, self._broker.address.password

    def find(self, tid):
        """Return the one terminal, as a roster does."""
        return self._record if tid == TID else None

    async def start(self):
        """Start it, on the same port as before."""
        self._broker = EmbeddedBroker("127.0.0.1", self.port, BASE, self)
        await self._broker.start()
        self.port = self._broker.port

    async def stop(self):
        """Stop it."""
        await self._broker.stop()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _password_lines(users):
    """Return mosquitto's password file: PBKDF2-SHA512, as mosquitto_passwd writes it."""
    lines = []
    for name, password in users.items():
        salt = os.urandom(12)
        digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101)
        lines.append(f"{name}:$7$101${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}\n")
    return "".join(lines)
