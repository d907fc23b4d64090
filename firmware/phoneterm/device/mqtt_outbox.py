"""What an MQTT client has given out and not heard the end of: packets to write, and publishes to be acknowledged.

Does not write, read or wait. Nothing outlives a connection: `settle_all` ends everything as failed.
Packet ids are 1 to 65535, and one that is still waited for is not given out again.
"""

import asyncio

MOST_PACKETS = 16  # that wait to be written; more mean that the broker takes nothing any more
_LAST_IDENT = 65535


class Outcome:
    """What became of one publish: `done` is set once it is known, `is_good` says how."""

    def __init__(self):
        """Know nothing yet."""
        self.done = asyncio.Event()
        self.is_good = False

    def settle(self, is_good):
        """Make the outcome known."""
        self.is_good = is_good
        self.done.set()


class Outbox:
    """Packets in the order they are to be written, and Outcomes by packet id; `work` is set when there is a packet."""

    def __init__(self):
        """Start empty."""
        self.work = asyncio.Event()
        self._packets = []  # (packet, Outcome that being written settles, or None)
        self._waiting = {}
        self._last_ident = 0

    def has_packet(self):
        """Say whether a packet waits to be written."""
        return bool(self._packets)

    def is_full(self):
        """Say whether so many packets wait that no more publishes should join them."""
        return len(self._packets) >= MOST_PACKETS

    def add(self, packet, outcome=None):
        """Put a packet last; `outcome` is settled by writing it."""
        self._packets.append((packet, outcome))
        self.work.set()

    def take_first(self):
        """Remove and return the first (packet, Outcome or None)."""
        return self._packets.pop(0)

    def next_ident(self):
        """Return a packet id that nothing waits for."""
        while True:
            self._last_ident = self._last_ident % _LAST_IDENT + 1
            if self._last_ident not in self._waiting:
                return self._last_ident

    def expect(self, ident, outcome):
        """Have the acknowledgement of `ident` settle `outcome`."""
        self._waiting[ident] = outcome

    def acknowledge(self, ident):
        """Settle the Outcome of `ident` as good; say whether anybody waited for it."""
        outcome = self._waiting.pop(ident, None)
        if outcome:
            outcome.settle(True)
        return outcome is not None

    def forget(self, packet, ident):
        """Wait for `ident` no longer; a packet that has not been begun is not written any more."""
        self._waiting.pop(ident, None)
        for entry in self._packets:
            if entry[0] is packet:
                self._packets.remove(entry)
                return

    def settle_all(self):
        """End everything as failed: the connection is gone."""
        outcomes = [outcome for _, outcome in self._packets if outcome] + list(self._waiting.values())
        self._packets.clear()
        self._waiting.clear()
        for outcome in outcomes:
            outcome.settle(False)
