"""A test's view of a PBX: the lab with its phones, the backend under test, and the backend's reports.

Does not decide anything. Waiting is always for a condition, with a deadline.
"""

import asyncio
import time

from pbx_lab.asterisk_lab import AsteriskLab
from pbx_lab.lab import LabOptions
from pbx_lab.legs import are_alone, has_leg
from pbx_simulator.simulator_lab import SimulatorLab
from phoneterm_bridge.pbx.ami.client import AmiClient
from phoneterm_bridge.pbx.asterisk.adapter import AsteriskPbx
from phoneterm_bridge.pbx.asterisk.features import ask_features
from phoneterm_bridge.pbx.port import Outcome, Target
from phoneterm_bridge.pbx.voipnow.backend import VoipNowPbx
from phoneterm_bridge.settings.bridge import load_settings
from voipnow_lab.voipnow_lab import VoipNowLab

USER, COLLEAGUE, CALLER = "101", "102", "103"
NO_SUCH_NUMBER = "299"
CONTEXT = "internal"
WAIT_S = 20
ACCEPTED = Outcome("accepted")


def make_lab(kind, need_part, **options):
    """Return a lab that is not started yet, or skip the test when its parts are not on this machine."""
    if kind == "simulator":
        return SimulatorLab(LabOptions(**options))
    if kind == "voipnow":
        return VoipNowLab(LabOptions(**options))
    need_part("asterisk")
    need_part("sipp")
    return AsteriskLab(LabOptions(**options))


def to(number):
    """Return the target with this number."""
    return Target(CONTEXT, number)


class Deaf:
    """A receiver for a login of which only the answers matter."""

    async def on_connected(self):
        pass

    def on_disconnected(self):
        pass

    def on_event(self, event):
        pass


class Desk:
    """A lab and a backend connected to it; it is the backend's listener.

    clock, changes: for VoipNow's alone; pauses: for Asterisk's.
    """

    def __init__(self, lab, settings=None, find_features=ask_features, clock=time.monotonic, changes=(), **pauses):
        self.lab = lab
        if isinstance(lab, VoipNowLab):
            self.pbx = VoipNowPbx(load_settings(None, (*lab.bridge_settings, *changes)).voipnow, clock)
        else:
            self.pbx = AsteriskPbx(settings or lab.ami, find_features=find_features, **pauses)
        self.client = None
        self.progress = []
        self.arrivals = []
        self.availability = []
        self._news = asyncio.Event()

    async def __aenter__(self):
        self.pbx.listen(self)
        await self.pbx.start()
        return self

    async def __aexit__(self, *_):
        await self.pbx.stop()
        if self.client:
            await self.client.stop()

    async def ask(self, action, headers):
        """Ask the PBX something over the desk's own login, and return the answer."""
        if self.client is None:
            self.client = AmiClient(self.lab.ami, Deaf())
            await self.client.start()
        return await self.client.ask(action, headers)

    def on_calls_changed(self, endpoint):
        self._news.set()

    def on_progress(self, ref, state, reason):
        self.progress.append((ref, state, reason))
        self._news.set()

    def on_arrival(self, ref, word, reason):
        self.arrivals.append((ref, word, reason))
        self._news.set()

    def on_availability(self, is_available):
        self.availability.append(is_available)
        self._news.set()

    async def wait_until(self, is_so, within_s=WAIT_S):
        """Wait until a condition on the backend is true; a failure shows the backend's reports."""
        try:
            async with asyncio.timeout(within_s):
                while not is_so():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            calls = {endpoint: self.pbx.calls(endpoint) for endpoint in (USER, COLLEAGUE, CALLER)}
            legs = "; ".join(map(str, await self.lab.legs()))
            raise AssertionError(f"not within {within_s} s: {self.progress}, {calls}, {legs}") from None

    async def call_in_state(self, state, endpoint=USER):
        """Wait until the endpoint has a call in this state and return it."""

        def found():
            return next((call for call in self.pbx.calls(endpoint) if call.state == state), None)

        await self.wait_until(lambda: found() is not None)
        return found()

    async def talk(self):
        """Make the caller call the user, who answers; return the user's call, which the PBX's own list also has."""
        await self.lab.place_call(CALLER, USER)
        await self.lab.wait_until(lambda legs: are_alone(legs, CALLER, USER))
        return await self.call_in_state("talking")

    async def consult(self, number=COLLEAGUE):
        """Let the user talk to the colleague while the caller waits; return the user's call."""
        call = await self.talk()
        assert await self.pbx.carry_out("attended", call, to(number)) == ACCEPTED
        await self.result("consulting")
        return call

    async def ring(self):
        """Let the colleague's phone ring while the caller waits; return the user's call."""
        await self.lab.set_behaviour(COLLEAGUE, "ring")
        call = await self.talk()
        assert await self.pbx.carry_out("attended", call, to(COLLEAGUE)) == ACCEPTED
        await self.result("ringing")
        await self.lab.wait_until(lambda legs: has_leg(legs, COLLEAGUE, "ringing"))
        return call

    async def press(self, endpoint, digit):
        """Send a tone from the endpoint's phone, as if its user had pressed the key."""
        (leg,) = (leg for leg in await self.lab.legs() if leg.endpoint == endpoint)
        headers = [("Channel", leg.channel), ("Digit", digit), ("Receive", "true"), ("Duration", "1")]
        assert (await self.ask("PlayDTMF", headers)).get("Response") == "Success"

    async def reject(self, endpoint):
        """Let the endpoint's phone, which rings, reject the call as busy."""
        (leg,) = (leg for leg in await self.lab.legs() if leg.endpoint == endpoint)
        headers = [("Channel", leg.channel), ("Cause", "17")]
        assert (await self.ask("Hangup", headers)).get("Response") == "Success"

    async def result(self, state, reason=None, within_s=WAIT_S):
        """Wait until the transfer reaches this state with this reason."""
        await self.wait_until(lambda: (state, reason) in self.states(), within_s)

    def states(self):
        """Return (state, reason) of all progress so far."""
        return [(state, reason) for _, state, reason in self.progress]
