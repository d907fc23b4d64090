"""A hand-made terminal: speaks MQTT with a terminal's own secrets, without keypad or firmware.

Does not follow the rules: it acts like somebody with stolen secrets, or like a faulty firmware.
"""

import asyncio
import contextlib

import gmqtt
from desk_lab.installation import HOST, TID
from phoneterm.core import messages

_ANSWER_S = 20
_BOOT = "0123abcd"


class HandMadeTerminal:
    """Logged in as the terminal of an installation; `received` has the decoded messages of each kind."""

    def __init__(self, installation):
        self._port = installation.bridge.broker_port
        self._base = installation.settings.broker.base
        self._enrolment = installation.enrolment
        self._received = asyncio.Queue()
        self._client = gmqtt.Client("made-by-hand", clean_session=True)

    async def __aenter__(self):
        self._client.set_auth_credentials(TID, self._enrolment.mqtt_password)
        self._client.on_message = self._take
        await self._client.connect(HOST, self._port, version=gmqtt.constants.MQTTv311, raise_exc=True)
        subscribed = asyncio.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.subscribe(messages.topic_filters(self._base, TID)[0], qos=1)
        await asyncio.wait_for(subscribed.wait(), _ANSWER_S)
        return self

    async def __aexit__(self, *_):
        with contextlib.suppress(ConnectionError):
            await self._client.disconnect()

    async def open_session(self):
        """Say hello; return the session's id and the reference of the terminal's call."""
        fields = {"boot": _BOOT, "fw": "0", "board": "HAND", "wire": [1, 1], "caps": ["blind", "attended"]}
        self.publish(messages.HELLO, fields)
        call = await self.next_of(messages.CALL)
        session = await self.next_of(messages.SESSION)
        return session["session"], call["call"]

    async def command(self, number, op="blind"):
        """Send a command in its own session, and return the first result."""
        session, call = await self.open_session()
        ident = f"{session}.1"
        fields = {"id": ident, "op": op, "number": number, "first_ms": 0, "since_ms": 1, "call": call}
        self.publish(messages.COMMAND, fields)
        while True:
            result = await self.next_of(messages.RESULT)
            if result["id"] == ident:
                return result

    def publish(self, kind, fields):
        """Sign and send one message."""
        topic = messages.topic_of(self._base, TID, kind)
        self._client.publish(topic, messages.encode(kind, topic, self._enrolment.mac_key, fields), qos=1)

    async def next_of(self, kind):
        """Return the next message of a kind."""
        async with asyncio.timeout(_ANSWER_S):
            while True:
                found, fields = await self._received.get()
                if found == kind:
                    return fields

    def _take(self, _client, topic, payload, _qos, _properties):
        _, kind = messages.parse_topic(self._base, topic)
        if payload:
            self._received.put_nowait((kind, messages.decode(kind, topic, self._enrolment.mac_key, payload)))
        return gmqtt.constants.PubRecReasonCode.SUCCESS
