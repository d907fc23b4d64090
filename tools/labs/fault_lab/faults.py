"""The possible faults of a packet on its way, as values, and the script that says when they strike.

Does not touch sockets. Directions: "up" is from the client to the broker, "down" the other way. Times are seconds.

| effect    | what happens to the packet it strikes                                   | amount                        |
|-----------|-------------------------------------------------------------------------|-------------------------------|
| drop      | it is lost; the connection goes on                                      | -                             |
| delay     | it, and all that follows in its direction, waits                        | seconds                       |
| duplicate | a PUBLISH with QoS 1 is passed on twice, the second time with DUP       | -                             |
| cut       | part of it is passed on, then both sides are disconnected               | the part, from 0 to 1         |
| half-open | it and all that follows is swallowed, both ways; nothing is closed      | -                             |
| throttle  | from it on, both directions pass so slowly                              | bytes a second                |
"""

from collections.abc import Iterable
from dataclasses import dataclass

from fault_lab.mqtt_stream import WirePacket

EFFECTS = ("drop", "delay", "duplicate", "cut", "half-open", "throttle")
UP, DOWN = "up", "down"
MOST_DELAY_S = 30.0


@dataclass(frozen=True)
class Fault:
    """One fault. It strikes `times` matching packets after the first `skip` of them; an empty field matches all.

    direction: UP, DOWN or "". packet: its name, such as PUBLISH. topic_end: the end of its topic; a PUBACK has the
    topic of the message it acknowledges.
    """

    effect: str
    direction: str = ""
    packet: str = ""
    topic_end: str = ""
    skip: int = 0
    times: int = 1
    amount: float = 0.0

    def __post_init__(self) -> None:
        if self.effect not in EFFECTS:
            raise ValueError(f"there is no fault {self.effect!r}")
        if self.effect == "delay" and not 0 <= self.amount <= MOST_DELAY_S:
            raise ValueError(f"a delay can be 0 to {MOST_DELAY_S:g} s, not {self.amount:g}")
        if self.effect == "throttle" and self.amount < 1:
            raise ValueError("a throttled connection passes at least 1 byte a second")

    def fits(self, direction: str, packet: WirePacket, topic: str) -> bool:
        """Say whether it matches this packet; `topic` is its own, or that of the message it acknowledges."""
        return (
            self.direction in ("", direction)
            and self.packet in ("", packet.name)
            and topic.endswith(self.topic_end)
            and not (self.effect == "duplicate" and not (packet.name == "PUBLISH" and packet.ident))
        )


class Script:
    """The armed faults, in order; only the first that matches strikes."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults = tuple(faults)
        self._seen = [0] * len(self._faults)

    def strike(self, direction: str, packet: WirePacket, topic: str) -> Fault | None:
        """Return the fault that strikes this packet, and count it."""
        for index, fault in enumerate(self._faults):
            if self._seen[index] == fault.skip + fault.times or not fault.fits(direction, packet, topic):
                continue
            self._seen[index] += 1
            if self._seen[index] > fault.skip:
                return fault
        return None
