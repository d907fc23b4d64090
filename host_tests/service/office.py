"""The PBX of an office beside the server, the simulated one, in a thread of its own. Does not start a bridge.

It goes on by itself while the test waits for something else, as a PBX does.
"""

import asyncio
import threading

from pbx_lab.legs import are_alone
from pbx_simulator.simulator_lab import SimulatorLab

_DONE_S = 30
CALLER = "103"


class Office:
    """The PBX; all phones of `numbers` answer."""

    def __init__(self, numbers):
        self._lab = SimulatorLab()
        self._numbers = numbers
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self):
        self._thread.start()
        self._do(self._lab.start())
        for number in self._numbers:
            self._do(self._lab.set_behaviour(number, "answer"))
        return self

    def __exit__(self, *_):
        self._do(self._lab.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def ami(self):
        """Return the login of a bridge."""
        return self._lab.ami

    def call(self, number):
        """Have the caller call this number; return once they talk."""
        self._do(self._lab.place_call(CALLER, number))

    def is_talking_to(self, number):
        """Say whether the caller talks to this number, and nobody else is in a call."""
        return are_alone(self._do(self._lab.legs()), CALLER, number)

    def end_calls(self):
        """End all calls."""
        self._do(self._lab.clear())

    def _do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_DONE_S)
