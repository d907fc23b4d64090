"""A second PBX backend, for the tests: it can only send a caller away, and must poll for calls, because it gets no
events. That is what a PBX behind a plain web interface offers.

Does not follow a party that was sent away. It asks the lab's PBX over AMI and ignores all of its events.
"""

import asyncio
import time

from phoneterm_bridge.pbx.ami.client import AmiClient
from phoneterm_bridge.pbx.ami.settings import AmiSettings
from phoneterm_bridge.pbx.asterisk.calls import CallTable
from phoneterm_bridge.pbx.port import Outcome

LOOK_EVERY_S = 0.02
UNSUPPORTED = Outcome("failed", "unsupported")


class BlindOnlyPbx:
    """See `pbx.port.Pbx`."""

    operations = frozenset({"blind"})
    web_hook = None

    def __init__(self, settings):
        self.is_available = False
        self.is_login_refused = False
        self.trouble = None
        login = (settings.pbx.username, settings.pbx.secret.get_secret_value())
        self._client = AmiClient(AmiSettings(settings.pbx.host, settings.pbx.port, *login), self)
        self._table = CallTable(time.monotonic)
        self._listener = None
        self._looking = None

    def listen(self, listener):
        self._listener = listener

    def watch(self, endpoints):
        pass

    async def start(self):
        await self._client.start()

    async def stop(self):
        self._listener = None
        self.on_disconnected()
        await self._client.stop()

    async def on_connected(self):
        await self._look()
        self.is_available = True
        self._listener.on_availability(True)
        self._looking = asyncio.create_task(self._keep_looking())

    def on_disconnected(self):
        if self._looking is not None:
            self._looking.cancel()
        self.is_available = False
        if self._listener is not None:
            self._listener.on_availability(False)

    def on_event(self, event):
        pass

    async def _keep_looking(self):
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self._look()

    async def _look(self):
        before = {leg.endpoint: self.calls(leg.endpoint) for leg in self._table.everybody()}
        self._table.load(await self._client.ask_list("CoreShowChannels"))
        now = {leg.endpoint: self.calls(leg.endpoint) for leg in self._table.everybody()}
        for endpoint in before.keys() | now.keys():
            if before.get(endpoint) != now.get(endpoint) and self._listener is not None:
                self._listener.on_calls_changed(endpoint)

    def calls(self, endpoint):
        return tuple(self._table.call(leg) for leg in self._table.legs_of(endpoint))

    def remark_on(self, operation):
        return None

    def why_ended(self, ref):
        return "no-call"

    async def is_known_number(self, context, number):
        answer = await self._client.ask("Getvar", [("Variable", f"DIALPLAN_EXISTS({context},{number},1)")])
        return answer.get("Value") == "1"

    async def destination_of(self, context, number):
        return None

    async def carry_out(self, operation, call, target):
        if operation != "blind":
            return UNSUPPORTED
        leg = self._table.leg_of(call.ref)
        if leg is None:
            return Outcome("failed", "no-call")
        headers = [("Channel", leg.channel), ("Exten", target.number), ("Context", target.context)]
        answer = await self._client.ask("BlindTransfer", headers)
        if answer.get("Response") != "Success":
            return Outcome("failed", "no-call")
        asyncio.get_running_loop().call_soon(self._listener.on_progress, call.ref, "done", None)
        return Outcome("accepted")
